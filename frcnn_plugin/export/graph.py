"""The detector from a resized picture to detections, as ``torch.export`` sees it."""

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

MIN_SIDE = 32  # pixels


class GraphDetector(nn.Module):
    """One picture in, its detections out; normalisation and padding are inside.

    Args:
        detector: A ``FasterRCNN`` with our own heads, in evaluation mode and without
            the parts of ``accelerate/``, whose kernels other runtimes do not have; it
            is copied, and stays as it is.

    Raises:
        TypeError: If one of its heads is mmdet's, which works on lists.
    """

    def __init__(self, detector: nn.Module) -> None:
        super().__init__()
        for head, method in ((detector.rpn_head, 'run'),
                             (detector.roi_head, 'predict_regions')):
            if not hasattr(head, method):
                raise TypeError(f'{type(head).__name__} is not a head of '
                                'frcnn_plugin; heads of mmdet cannot be exported')
        self.detector = copy.deepcopy(detector)
        first = detector.data_preprocessor
        self.divisor = getattr(first, 'pad_size_divisor', 1)
        self.pad_value = float(getattr(first, 'pad_value', 0))
        self.swap = bool(getattr(first, '_channel_conversion', False))
        plain = torch.zeros(3, 1, 1)
        self.register_buffer('mean', getattr(first, 'mean', plain).detach().clone())
        self.register_buffer('std', getattr(first, 'std', plain + 1).detach().clone())

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Detect in an image as the config's pipeline leaves it.

        Args:
            image: (1, 3, H, W) float32 in [0, 255], BGR, resized as in the config.

        Returns:
            tuple: (n, 4) float32 boxes (x1, y1, x2, y2) in pixels of ``image``, (n,)
            float32 scores and (n,) int64 labels, the best first.
        """
        height, width = image.shape[-2:]
        sizes = torch.stack([torch.scalar_tensor(side, dtype=torch.float32)
                             for side in (height, width)]).unsqueeze(0)
        if self.swap:
            image = image.flip(1)
        image = (image - self.mean) / self.std
        right, bottom = (-width) % self.divisor, (-height) % self.divisor
        image = F.pad(image, (0, right, 0, bottom), value=self.pad_value)
        found = self.detector.detect(image, sizes)
        kept = found.mask[0]
        return found.bboxes[0][kept], found.scores[0][kept], found.labels[0][kept]


def export_graph(graph: GraphDetector) -> ExportedProgram:
    """The graph for pictures of any height and width, from 32 pixels on."""
    graph = graph.eval()
    example = torch.zeros(1, 3, 10 * MIN_SIDE, 13 * MIN_SIDE, device=graph.mean.device)
    side = Dim.DYNAMIC(min=MIN_SIDE)
    with torch.no_grad():
        return torch.export.export(
            graph, (example,), dynamic_shapes=dict(image={2: side, 3: side}))

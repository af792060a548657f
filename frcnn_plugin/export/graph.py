"""The detector from pictures to detections, as ``torch.export`` sees it."""

import copy
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram
from torch.nn.modules.utils import _pair

from .saving_order import put_convolutions_first

MIN_SIDE = 32  # pixels


class GraphDetector(nn.Module):
    """A batch of pictures in, their detections out; normalisation and padding inside.

    Args:
        detector: A ``FasterRCNN`` with our own heads, in evaluation mode and without
            the parts of ``accelerate/``, whose kernels other runtimes do not have; it
            is copied, and stays as it is.
        resize: The settings of mmdet's ``Resize``, to have it inside, too; empty if
            pictures keep their size. Default: they come resized.
        plain: Whether the stages keep the order of the paper, where another one saves
            operations.

    Raises:
        TypeError: If one of its heads is mmdet's, which works on lists.
    """

    def __init__(self, detector: nn.Module, resize: dict | None = None,
                 plain: bool = False) -> None:
        super().__init__()
        for head, method in ((detector.rpn_head, 'run'),
                             (detector.roi_head, 'predict_regions')):
            if not hasattr(head, method):
                raise TypeError(f'{type(head).__name__} is not a head of '
                                'frcnn_plugin; heads of mmdet cannot be exported')
        self.detector = copy.deepcopy(detector)
        if not plain:
            put_convolutions_first(self.detector)
        self.resize = resize
        first = detector.data_preprocessor
        self.divisor = getattr(first, 'pad_size_divisor', 1)
        self.pad_value = float(getattr(first, 'pad_value', 0))
        self.swap = bool(getattr(first, '_channel_conversion', False))
        none = torch.zeros(3, 1, 1)
        self.register_buffer('mean', getattr(first, 'mean', none).detach().clone())
        self.register_buffer('std', getattr(first, 'std', none + 1).detach().clone())

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Detect in a batch of pictures of one size.

        Args:
            image: (B, 3, H, W) float32 in [0, 255], BGR, resized as in the config;
                with ``resize`` (B, H, W, 3) uint8, BGR, as OpenCV reads them.

        Returns:
            tuple: (n, 4) float32 boxes (x1, y1, x2, y2) in pixels of ``image``, (n,)
            float32 scores, (n,) int64 labels, and (n,) int64 indices of the pictures in
            the batch, in whose order they come; the best of each picture first.
        """
        factors = None
        if self.resize is not None:
            image, factors = self.resized(image)
        height, width = image.shape[-2:]
        sizes = torch.stack([torch.scalar_tensor(side, dtype=torch.float32)
                             for side in (height, width)]).expand(image.shape[0], 2)
        if self.swap:
            image = image.flip(1)
        image = (image - self.mean) / self.std
        right, bottom = (-width) % self.divisor, (-height) % self.divisor
        image = F.pad(image, (0, right, 0, bottom), value=self.pad_value)
        found = self.detector.detect(image, sizes)
        bboxes = found.bboxes if factors is None else found.bboxes / factors
        index = torch.arange(image.shape[0]).view(-1, 1).expand_as(found.mask)
        return tuple(part[found.mask] for part in (
            bboxes, found.scores, found.labels, index))

    def resized(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, h, w) float32, and the (4,) factors by which boxes were scaled."""
        image = image.permute(0, 3, 1, 2).float()
        height, width = image.shape[-2:]
        new = new_sides(height, width, self.resize)
        if self.resize:
            for side in new:
                torch._check(side >= 1)
            image = F.interpolate(image, size=new, mode='bilinear')
        factors = [torch.scalar_tensor(after / before, dtype=torch.float32)
                   for after, before in ((new[1], width), (new[0], height))]
        return image, torch.stack(factors * 2)


def new_sides(height: int, width: int, resize: dict) -> Sequence[int]:
    """``inference.images.resized_shape`` for sides that are symbols of a graph."""
    if not resize:
        return height, width
    if not resize.get('scale_factor') and not resize['keep_ratio']:
        return resize['scale'][::-1]
    if resize.get('scale_factor'):
        across, down = _pair(resize['scale_factor'])
    else:
        small, large = sorted(resize['scale'])
        across = down = torch.sym_min(large / torch.sym_max(height, width),
                                      small / torch.sym_min(height, width))
    return (torch.sym_max(1, torch.sym_int(height * down + 0.5)),
            torch.sym_max(1, torch.sym_int(width * across + 0.5)))


def export_graph(graph: GraphDetector) -> ExportedProgram:
    """The graph for any number of pictures of any size, from 32 pixels on."""
    graph = graph.eval()
    example = torch.zeros(2, 3, 10 * MIN_SIDE, 13 * MIN_SIDE, device=graph.mean.device)
    height, width = 2, 3
    if graph.resize is not None:
        example = example.permute(0, 2, 3, 1).byte()
        height, width = 1, 2
    side = Dim.DYNAMIC(min=MIN_SIDE)
    with torch.no_grad():
        return torch.export.export(graph, (example,), dynamic_shapes=dict(
            image={0: Dim.DYNAMIC(min=1), height: side, width: side}))

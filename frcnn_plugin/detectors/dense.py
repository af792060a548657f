"""The detector between its seams: tensors in, tensors out, one graph.

Comes in: images, their sizes, and in training padded ground truth. Goes out: detections
or losses. mmdet's protocol stays outside, where lists of samples are made and read.
"""

from torch import Tensor, nn

from ..structures import Detections, GroundTruth


class DenseDetector(nn.Module):
    """Images to detections, for ``torch.compile(fullgraph=True)``, ``torch.export``.

    Args:
        detector: A ``FasterRCNN`` with our own heads.

    Raises:
        TypeError: If one of its heads is mmdet's, which works on lists.
    """

    def __init__(self, detector: nn.Module) -> None:
        super().__init__()
        for head, method in ((detector.rpn_head, 'propose'),
                             (detector.roi_head, 'detect')):
            if not hasattr(head, method):
                raise TypeError(f'{type(self).__name__}: {type(head).__name__} is no '
                                'head of frcnn_plugin; only those work without lists')
        self.detector = detector

    def forward(self, images: Tensor, image_sizes: Tensor) -> Detections:
        """Detect.

        Args:
            images: (B, 3, H, W) images, normalised and padded.
            image_sizes: (B, 2) float32 height and width of each, without padding.

        Returns:
            Detections: In pixels of ``images``; with D as many as the config allows.
        """
        feats = self.detector.extract_feat(images)
        proposals = self.detector.rpn_head.propose(feats, image_sizes)
        return self.detector.roi_head.detect(feats, proposals, image_sizes)


class DenseLosses(DenseDetector):
    """Images and padded ground truth to losses."""

    def forward(self, images: Tensor, image_sizes: Tensor,
                gt: GroundTruth) -> dict[str, Tensor]:
        """The losses of both stages.

        Args:
            images: (B, 3, H, W) images, normalised and padded.
            image_sizes: (B, 2) float32 height and width of each, without padding.
            gt: Padded ground truth.

        Returns:
            dict: As that of ``FasterRCNN.loss``.
        """
        feats = self.detector.extract_feat(images)
        losses, proposals = self.detector.rpn_head.loss_and_propose(
            feats, gt, image_sizes)
        return {**losses, **self.detector.roi_head.loss_on(feats, proposals, gt)}

"""Pictures of the first test images: ground truth on the left, detections beside it."""

from collections.abc import Sequence

from mmdet.engine.hooks import DetVisualizationHook
from mmdet.structures import DetDataSample
from mmengine.runner import Runner

from ..registry import HOOKS


@HOOKS.register_module()
class PicturesHook(DetVisualizationHook):
    """mmdet's visualization hook, with a limit.

    Args:
        max_pictures: How many images are drawn in a test; None for all.
        **kwargs: Those of mmdet's ``DetVisualizationHook``.
    """

    def __init__(self, max_pictures: int | None = None, **kwargs) -> None:
        super().__init__(**kwargs)
        self.max_pictures = max_pictures

    def after_test_iter(self, runner: Runner, batch_idx: int, data_batch: dict,
                        outputs: Sequence[DetDataSample]) -> None:
        """Draw this batch, as far as the limit goes."""
        if self.max_pictures is not None:
            outputs = outputs[:max(self.max_pictures - self._test_index, 0)]
        super().after_test_iter(runner, batch_idx, data_batch, outputs)

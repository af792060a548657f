"""Pictures of the first test images: ground truth on the left, detections beside it."""

from collections.abc import Sequence
from pathlib import Path

import mmcv
import numpy as np
from mmdet.engine.hooks import DetVisualizationHook
from mmdet.structures import DetDataSample
from mmengine.runner import Runner

from ..io.fonts import use_font_for
from ..registry import HOOKS


@HOOKS.register_module()
class PicturesHook(DetVisualizationHook):
    """mmdet's visualization hook with a limit, in pictures large enough for labels.

    Args:
        max_pictures: How many images are drawn in a test; None for all.
        min_side: Smaller images are enlarged to this shorter side, in pixels.
        **kwargs: Those of mmdet's ``DetVisualizationHook``.
    """

    def __init__(self, max_pictures: int | None = None, min_side: int = 400,
                 **kwargs) -> None:
        super().__init__(**kwargs)
        self.max_pictures = max_pictures
        self.min_side = min_side

    def before_test(self, runner: Runner) -> None:
        """Find a font for the classes."""
        use_font_for((self._visualizer.dataset_meta or {}).get('classes') or ())

    def after_test_iter(self, runner: Runner, batch_idx: int, data_batch: dict,
                        outputs: Sequence[DetDataSample]) -> None:
        """Draw the images of this batch, up to the limit."""
        if not self.draw:
            return
        if self.max_pictures is not None:
            outputs = outputs[:max(self.max_pictures - self._test_index, 0)]
        folder = Path(runner.work_dir, runner.timestamp,
                      self.test_out_dir or 'pictures')  # an absolute one stays as it is
        for sample in outputs:
            self._test_index += 1
            image = mmcv.imread(sample.img_path, channel_order='rgb')
            image, sample = enlarge(image, sample, self.min_side)
            name = Path(sample.img_path).name
            self._visualizer.add_datasample(
                name, image, data_sample=sample, pred_score_thr=self.score_thr,
                out_file=str(folder / name), step=self._test_index)


def enlarge(image: np.ndarray, sample: DetDataSample,
            min_side: int = 400) -> tuple[np.ndarray, DetDataSample]:
    """An image and its boxes, at least ``min_side`` pixels on the shorter side."""
    factor = min_side / min(image.shape[:2])
    if factor <= 1:
        return image, sample
    sample = sample.clone()
    for name in ('gt_instances', 'pred_instances'):
        if name in sample:
            instances = sample.get(name).clone()  # a sample's own clone shares them
            instances.bboxes = instances.bboxes * factor
            sample.set_field(instances, name)
    return mmcv.imrescale(image, factor, interpolation='bicubic'), sample

"""AP as COCO defines it, with confidence intervals, for any data set."""

from collections.abc import Sequence

import numpy as np
from mmdet.structures.bbox import get_box_tensor
from mmengine.evaluator import BaseMetric

from ..registry import METRICS
from .bootstrap import ap_of_samples, draw_samples
from .coco_evaluation import evaluate

STATS = dict(AP=0, AP50=1, AP75=2, AP_small=3, AP_medium=4, AP_large=5,
             AR100=8)  # places in COCOeval.stats
LOW, HIGH = '_low', '_high'  # the ends of an interval


@METRICS.register_module()
class BoxAP(BaseMetric):
    """COCO's average precision, by ``COCOeval`` of pycocotools.

    It takes 101 points of recall and at most 100 detections of a class in an image. The
    size of an object is the area of its box, small below 32^2 and large above 96^2
    pixels, and a box is as wide as x2 - x1.

    An ignored box, such as a difficult one of VOC, need not be found, and one detection
    on it is neither right nor wrong: COCO's ``ignore=1`` without ``iscrowd``. (Any
    number may lie on it in VOC, and in COCO on a crowd.)

    The intervals hold 95 % of the APs of bootstrap samples of the images. They tell how
    far the choice of the images moves the AP of these weights, and nothing about
    another training. With few images they are too narrow (docs/results.md).

    Source: Lin et al., Microsoft COCO (arXiv:1405.0312), and cocodataset.org; Efron,
    Bootstrap methods: another look at the jackknife, 1979.

    Args:
        crowd: Whether ignored boxes are crowds, as in COCO's own annotations.
        resamples: Number of bootstrap samples; 0: no intervals.
        seed: Of the bootstrap samples.
        collect_device, prefix: mmengine's.
    """

    default_prefix = 'coco'

    def __init__(self, crowd: bool = False, resamples: int = 1000, seed: int = 0,
                 collect_device: str = 'cpu', prefix: str | None = None) -> None:
        super().__init__(collect_device, prefix)
        self.crowd, self.resamples, self.seed = crowd, resamples, seed

    def process(self, data_batch: object, data_samples: Sequence[dict]) -> None:
        """Keep the boxes of each image: annotated, ignored, detected."""
        for sample in data_samples:
            found = sample['pred_instances']
            self.results.append((
                boxes_and_labels(sample['gt_instances']),
                boxes_and_labels(sample.get('ignored_instances')),
                (*boxes_and_labels(found), found['scores'].double().cpu().numpy())))

    def compute_metrics(self, results: list) -> dict[str, float]:
        """All values, from 0 to 1; those without ground truth are left out.

        Returns:
            dict: ``AP`` (the mean over IoU 0.50 to 0.95), ``AP50``, ``AP75``,
            ``AP_small``, ``AP_medium``, ``AP_large`` and ``AR100``; ``AP/NAME``,
            ``AP50/NAME`` and ``AP75/NAME`` of each class; the ends of the intervals,
            ``AP_low`` and ``AP_high``, and of ``AP50`` and ``AP75`` likewise.
        """
        classes = self.dataset_meta['classes']
        evaluation = evaluate(results, len(classes), self.crowd)
        values = {name: evaluation.stats[place] for name, place in STATS.items()}
        precision = evaluation.eval['precision'][..., 0, -1]  # of all sizes
        for kind, by_class in at_ious(precision.mean(1)).items():
            values |= {f'{kind}/{name}': ap for name, ap in
                       zip(classes, by_class, strict=True)}
        values = {name: float(value) for name, value in values.items() if value >= 0}
        if self.resamples and 'AP' in values:
            counts = draw_samples(len(results), self.resamples, self.seed)
            means = mean_over_classes(ap_of_samples(evaluation, counts))
            for kind, sampled in at_ious(means).items():
                low, high = np.nanpercentile(sampled, [2.5, 97.5])
                values |= {kind + LOW: float(low), kind + HIGH: float(high)}
        return values


def at_ious(ap: np.ndarray) -> dict[str, np.ndarray]:
    """The mean of (T, ...) APs over COCO's IoU thresholds, and those at 0.5, 0.75."""
    return dict(AP=ap.mean(0), AP50=ap[0], AP75=ap[5])


def mean_over_classes(ap: np.ndarray) -> np.ndarray:
    """(T, B) means of (T, C, B) APs, over the classes that a sample has objects of."""
    known = ~np.isnan(ap)
    with np.errstate(invalid='ignore'):  # a sample without objects: NaN
        return np.where(known, ap, 0).sum(1) / known.sum(1)


def boxes_and_labels(instances: dict | None) -> tuple[np.ndarray, np.ndarray]:
    """(n, 4) float64 boxes and (n,) int64 labels."""
    if instances is None:
        return np.zeros((0, 4)), np.zeros(0, int)
    boxes = get_box_tensor(instances['bboxes']).double().reshape(-1, 4)
    return boxes.cpu().numpy(), instances['labels'].long().cpu().numpy()

"""mmdet's VOC metric, which prints the AP of each class; this one returns it too."""

import numpy as np
from mmdet.evaluation import eval_map
from mmdet.evaluation.metrics import VOCMetric as MMDetVOCMetric
from mmengine.logging import MMLogger

from ..registry import METRICS

PER_CLASS = 'class/'


@METRICS.register_module()
class VOCMetric(MMDetVOCMetric):
    """Mean average precision as PASCAL VOC defines it; mmdet's arguments.

    Besides ``mAP`` and ``AP50`` it returns the AP of each class that has ground truth
    as ``class/NAME``, averaged over ``iou_thrs``.
    """

    def compute_metrics(self, results: list) -> dict:
        """``mAP``, ``AP50`` (and so on for each IoU), ``class/NAME``."""
        if self.metric != 'mAP' or self.scale_ranges is not None:
            return super().compute_metrics(results)
        annotations, detections = zip(*results, strict=True)
        classes = self.dataset_meta['classes']
        metrics, per_class = {}, []
        for iou_thr in self.iou_thrs:
            mean, by_class = eval_map(
                detections, annotations, iou_thr=iou_thr, dataset=classes,
                eval_mode=self.eval_mode, logger=MMLogger.get_current_instance(),
                use_legacy_coordinate=True)
            metrics[f'AP{round(iou_thr * 100):02d}'] = float(mean)
            per_class.append([float(item['ap']) if item['num_gts'] else float('nan')
                              for item in by_class])
        average = float(np.mean(list(metrics.values())))
        means = zip(classes, np.mean(per_class, axis=0), strict=True)
        return dict(mAP=average, **metrics, **{
            f'{PER_CLASS}{name}': float(ap) for name, ap in means if not np.isnan(ap)})

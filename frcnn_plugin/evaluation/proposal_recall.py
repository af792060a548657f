"""Recall of proposals: how many of the objects they cover."""

from collections.abc import Sequence

import torch
from mmdet.structures.bbox import get_box_tensor
from mmengine.evaluator import BaseMetric
from torch import Tensor
from torchvision.ops import box_iou

from ..registry import METRICS


@METRICS.register_module()
class ProposalRecall(BaseMetric):
    """The share of objects that are covered by one of the best n proposals.

    For a detector without ``roi_head``, whose detections are its proposals. Boxes
    marked as difficult are not counted. mmdet's ``eval_recalls`` does not run on NumPy
    1.24 or later: it puts arrays of different sizes into one.

    Source: Hosang et al., What makes for effective detection proposals?
    (arXiv:1502.05082), section 4.

    Args:
        nums: Numbers of proposals, n.
        iou_thrs: The least IoU of a proposal that covers an object.
        collect_device, prefix: mmengine's.
    """

    default_prefix = 'proposals'

    def __init__(self, nums: Sequence[int] = (50, 300, 2000),
                 iou_thrs: Sequence[float] = (0.5, 0.7), collect_device: str = 'cpu',
                 prefix: str | None = None) -> None:
        super().__init__(collect_device, prefix)
        self.nums, self.iou_thrs = tuple(nums), tuple(iou_thrs)

    def process(self, data_batch: object, data_samples: Sequence[dict]) -> None:
        """Keep the best IoU of every object, for each number of proposals."""
        for sample in data_samples:
            found = sample['pred_instances']
            order = found['scores'].argsort(descending=True, stable=True)
            gt_bboxes = get_box_tensor(sample['gt_instances']['bboxes'])
            ious = best_ious(found['bboxes'][order], gt_bboxes, self.nums)
            self.results.append((ious.cpu(), len(order)))

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Recall over all objects of all images.

        Returns:
            dict: ``recall50@300`` for IoU 0.5 and 300 proposals, and so on, NaN if
            there is no object; ``per_image``, the mean number of proposals.
        """
        images, counts = zip(*results, strict=True)
        ious = torch.cat(images, dim=1)  # one column for each object
        metrics = {}
        for iou_thr in self.iou_thrs:
            recalls = (ious >= iou_thr).float().mean(1).tolist()
            for num, recall in zip(self.nums, recalls, strict=True):
                metrics[recall_name(iou_thr, num)] = recall
        return {**metrics, 'per_image': sum(counts) / len(counts)}


def recall_name(iou_thr: float, num: int) -> str:
    """The name of a recall among the metrics: ``recall50@300``."""
    return f'recall{round(iou_thr * 100)}@{num}'


def best_ious(proposals: Tensor, gt_bboxes: Tensor, nums: Sequence[int]) -> Tensor:
    """The best IoU of each of (G, 4) objects with one of the first n proposals.

    The (P, 4) proposals are sorted, best first, and ``nums`` are the n. Returns
    (len(nums), G) float32; 0 where there is no proposal.
    """
    if len(gt_bboxes) == 0 or len(proposals) == 0:
        return gt_bboxes.new_zeros(len(nums), len(gt_bboxes))
    best = box_iou(proposals, gt_bboxes.to(proposals)).cummax(dim=0).values
    return torch.stack([best[min(num, len(best)) - 1] for num in nums])

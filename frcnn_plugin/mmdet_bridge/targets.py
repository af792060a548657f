"""mmdet's ``assign`` / ``sample`` protocol for our samplers.

mmdet makes targets for one image at a time in two steps: an assigner writes, for each
box, which ground truth it stands for, and a sampler picks among them. Ours do both for
the whole batch.
"""

import torch
from mmdet.models.task_modules import AssignResult, SamplingResult
from mmdet.structures.bbox import get_box_tensor
from mmengine.structures import InstanceData

from ..ops import subsample
from .lists import pack_ground_truth


class MMDetTargetSampler:
    """The methods by which stock heads of mmdet call an assigner and a sampler.

    Mixed into our samplers, which have ``match``, ``num`` and ``pos_fraction``. Boxes
    to ignore are not read, as with ``ignore_iof_thr=-1``, mmdet's default.
    """

    add_gt_as_proposals = False

    def assign(self, pred_instances: InstanceData, gt_instances: InstanceData,
               gt_instances_ignore: InstanceData | None = None,
               **kwargs) -> AssignResult:
        """mmdet's assigner protocol.

        Returns:
            AssignResult: 1-based ``gt_inds`` (0 negative, -1 neither) and class labels,
            -1 where not positive.
        """
        priors = get_box_tensor(pred_instances.priors).float()
        gt = pack_ground_truth([gt_instances])
        labels, gt_indices, max_iou = (
            field[0] for field in self.match(priors.unsqueeze(0), gt))
        positive = labels == 1
        gt_inds = torch.where(positive, gt_indices + 1, labels.clamp(max=0))
        classes = torch.where(positive, gt.labels[0, gt_indices], -1)
        return AssignResult(len(gt_instances), gt_inds, max_iou, classes)

    def sample(self, assign_result: AssignResult, pred_instances: InstanceData,
               gt_instances: InstanceData, **kwargs) -> SamplingResult:
        """mmdet's sampler protocol."""
        priors = get_box_tensor(pred_instances.priors).float()
        gt_bboxes = get_box_tensor(gt_instances.bboxes).float()
        gt_flags = torch.zeros(len(priors), dtype=torch.uint8, device=priors.device)
        if self.add_gt_as_proposals and len(gt_bboxes):
            priors = torch.cat([gt_bboxes, priors])
            assign_result.add_gt_(gt_instances.labels)
            gt_flags = torch.cat([gt_flags.new_ones(len(gt_bboxes)), gt_flags])
        labels = assign_result.gt_inds.clamp(max=1)  # 1, 0, -1
        labels = subsample(labels.unsqueeze(0), self.num, self.pos_fraction)[0]
        return SamplingResult(
            pos_inds=(labels == 1).nonzero().squeeze(-1),
            neg_inds=(labels == 0).nonzero().squeeze(-1),
            priors=priors, gt_bboxes=gt_bboxes, assign_result=assign_result,
            gt_flags=gt_flags)

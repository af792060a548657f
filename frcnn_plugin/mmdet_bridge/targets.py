"""mmdet's ``assign`` / ``sample`` protocol, to and from our samplers.

mmdet makes targets for one image at a time in two steps: an assigner writes, for each
box, which ground truth it stands for, and a sampler picks among them. Ours do both for
the whole batch. These functions translate in both directions.
"""

from collections.abc import Sequence

import torch
from mmdet.models.task_modules import AssignResult, SamplingResult
from mmdet.structures.bbox import get_box_tensor
from mmengine.structures import InstanceData
from torch import Tensor

from ..ops import subsample
from ..ops.matching import Matches
from ..structures import GroundTruth
from .lists import pack_ground_truth


class MMDetTargetSampler:
    """The methods by which stock heads of mmdet call an assigner and a sampler.

    Mixed into our samplers, which have ``match``, ``num`` and ``pos_fraction``. Boxes
    to ignore take no part, as in the paper.
    """

    add_gt_as_proposals = False

    def assign(self, pred_instances: InstanceData, gt_instances: InstanceData,
               gt_instances_ignore: InstanceData | None = None,
               **kwargs) -> AssignResult:
        """mmdet's assigner protocol."""
        priors = box_tensor(pred_instances, 'priors')
        matches = self.match(priors.unsqueeze(0), one_image(gt_instances))
        return to_assign_result(matches, gt_instances)

    def sample(self, assign_result: AssignResult, pred_instances: InstanceData,
               gt_instances: InstanceData, **kwargs) -> SamplingResult:
        """mmdet's sampler protocol."""
        priors = box_tensor(pred_instances, 'priors')
        gt_bboxes = box_tensor(gt_instances, 'bboxes')
        flags = torch.zeros(len(priors), dtype=torch.uint8, device=priors.device)
        if self.add_gt_as_proposals and len(gt_bboxes):
            priors = torch.cat([gt_bboxes, priors])
            assign_result.add_gt_(gt_instances.labels)
            flags = torch.cat([flags.new_ones(len(gt_bboxes)), flags])
        labels = subsample(labels_of(assign_result), self.num, self.pos_fraction)
        return to_sampling_result(labels[0], assign_result, priors, gt_bboxes, flags)


def one_image(gt_instances: InstanceData) -> GroundTruth:
    """The ground truth of one image as a batch of one."""
    return pack_ground_truth([gt_instances])


def to_assign_result(matches: Matches, gt_instances: InstanceData) -> AssignResult:
    """Our matches of a batch of one as mmdet's assignment.

    Args:
        matches: Labels, indices and IoU of shape (1, N).
        gt_instances: The n boxes that were matched.

    Returns:
        AssignResult: 1-based ``gt_inds`` (0 negative, -1 neither) and class labels,
        -1 where not positive.
    """
    labels, gt_indices, max_iou = (field[0] for field in matches)
    positive = labels == 1
    gt_inds = torch.where(positive, gt_indices + 1, labels.clamp(max=0))
    if len(gt_instances.labels):
        gt_labels = gt_instances.labels[gt_indices.clamp(max=len(gt_instances) - 1)]
        classes = torch.where(positive, gt_labels, -1)
    else:
        classes = torch.full_like(labels, -1)
    return AssignResult(len(gt_instances.labels), gt_inds, max_iou, classes)


def to_sampling_result(labels: Tensor, assign_result: AssignResult, priors,
                       gt_bboxes, gt_flags: Tensor) -> SamplingResult:
    """The labels that were picked in one image as mmdet's sampling result.

    Args:
        labels: (N,) 1 positive, 0 negative, -1 not picked.
        assign_result: The assignment that was picked from.
        priors: (N, 4) the boxes.
        gt_bboxes: (n, 4) the ground truth.
        gt_flags: (N,) uint8; 1 for a prior that is ground truth itself.
    """
    return SamplingResult(
        pos_inds=(labels == 1).nonzero().squeeze(-1),
        neg_inds=(labels == 0).nonzero().squeeze(-1),
        priors=priors, gt_bboxes=gt_bboxes, assign_result=assign_result,
        gt_flags=gt_flags)


def labels_of(assign_result: AssignResult) -> Tensor:
    """(1, N) labels 1, 0, -1 of an assignment."""
    return assign_result.gt_inds.clamp(max=1).unsqueeze(0)


def stock_matches(assigner, sampler, bboxes: Sequence[Tensor],
                  batch_gt_instances: Sequence[InstanceData]) -> list[SamplingResult]:
    """Run a stock assigner and sampler, image by image.

    Args:
        assigner: Any assigner of mmdet that works on priors.
        sampler: Any sampler of mmdet.
        bboxes: (n_i, 4) priors of each image.
        batch_gt_instances: Ground truth of each image.
    """
    results = []
    for priors, gt_instances in zip(bboxes, batch_gt_instances, strict=True):
        instances = InstanceData(priors=priors)
        assigned = assigner.assign(instances, gt_instances, None)
        results.append(sampler.sample(assigned, instances, gt_instances))
    return results


def gt_instances_of(gt: GroundTruth) -> list[InstanceData]:
    """Padded ground truth as mmdet's instances, one for each image."""
    counts = gt.mask.sum(1).tolist()
    return [InstanceData(bboxes=gt.bboxes[i, :n], labels=gt.labels[i, :n])
            for i, n in enumerate(counts)]


def box_tensor(instances: InstanceData, name: str) -> Tensor:
    """(n, 4) float32 boxes of an instance field that may hold mmdet's box type."""
    return get_box_tensor(instances[name]).float()

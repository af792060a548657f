"""Targets by mmdet's own assigners and samplers, so that each can train our heads.

They go image by image; our samplers, which do the batch at once, are faster.
"""

import torch
from mmdet.models.task_modules import SamplingResult, ScoreHLRSampler
from mmengine.structures import InstanceData
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from ..ops import encode, inside_mask
from ..registry import TASK_UTILS
from ..structures import AnchorTargets, GroundTruth, Proposals, RoISamples
from . import lists


class StockAnchorTargets:
    """A stock assigner and sampler with the interface of ``AnchorTargetSampler``.

    Args:
        train_cfg: ``assigner``, ``sampler`` and ``allowed_border``, as in mmdet's
            ``train_cfg.rpn``.
    """

    def __init__(self, train_cfg: dict) -> None:
        self.assigner = TASK_UTILS.build(train_cfg['assigner'])
        sampler = train_cfg.get('sampler') or dict(type='PseudoSampler')
        self.sampler = TASK_UTILS.build(sampler, default_args=dict(context=self))
        self.allowed_border = train_cfg.get('allowed_border', -1)

    def __call__(self, anchors: Tensor, gt: GroundTruth, image_sizes: Tensor,
                 bbox_coder, valid: Tensor | None = None) -> AnchorTargets:
        """See :meth:`AnchorTargetSampler.__call__`."""
        inside = inside_mask(anchors, image_sizes, self.allowed_border)
        valid = inside if valid is None else valid & inside
        labels = torch.full(valid.shape, -1, dtype=torch.long, device=anchors.device)
        deltas = anchors.new_zeros(*valid.shape, 4)
        indices = [row.nonzero().squeeze(-1) for row in valid]
        gt_instances = lists.unpack(**gt._asdict())
        for instances in gt_instances:
            instances.labels = torch.zeros_like(instances.labels)
        results = assign_and_sample(self, [anchors[i] for i in indices], gt_instances)
        for image, (index, result) in enumerate(zip(indices, results, strict=True)):
            positive = index[result.pos_inds]
            labels[image, positive] = 1
            labels[image, index[result.neg_inds]] = 0
            deltas[image, positive] = encode(
                bbox_coder, result.pos_priors, result.pos_gt_bboxes)
        return AnchorTargets(labels, deltas)


class StockProposalTargets:
    """A stock assigner and sampler with the interface of ``ProposalTargetSampler``.

    Args:
        train_cfg: ``assigner`` and ``sampler``, as in mmdet's ``train_cfg.rcnn``.
        context: The RoI head, which mmdet hands to its samplers.

    Raises:
        ValueError: If the sampler asks the head for its losses (OHEM, ScoreHLR).
    """

    def __init__(self, train_cfg: dict, context=None) -> None:
        self.assigner = TASK_UTILS.build(train_cfg['assigner'])
        self.sampler = TASK_UTILS.build(
            train_cfg['sampler'], default_args=dict(context=context))
        if hasattr(self.sampler, 'hard_mining') or isinstance(
                self.sampler, ScoreHLRSampler):
            raise ValueError(f'{type(self.sampler).__name__} asks the head for its '
                             "losses; it needs mmdet's StandardRoIHead")

    def __call__(self, proposals: Proposals, gt: GroundTruth, num_classes: int,
                 bbox_coder) -> RoISamples:
        """See :meth:`ProposalTargetSampler.__call__`."""
        priors = [each.bboxes for each in lists.proposals_to_instances(proposals)]
        results = assign_and_sample(self, priors, lists.unpack(**gt._asdict()))
        return pad_sampling_results(results, num_classes, bbox_coder)


def assign_and_sample(stock, bboxes: list[Tensor],
                      gt: list[InstanceData]) -> list[SamplingResult]:
    """Run the assigner and the sampler on the (n_i, 4) boxes of each image."""
    results = []
    for priors, gt_instances in zip(bboxes, gt, strict=True):
        instances = InstanceData(priors=priors)
        assigned = stock.assigner.assign(instances, gt_instances, None)
        results.append(stock.sampler.sample(assigned, instances, gt_instances))
    return results


def pad_sampling_results(results, num_classes: int, bbox_coder) -> RoISamples:
    """mmdet's sampling results of a batch as padded samples, positives first."""
    rows = []
    for result in results:
        bboxes = torch.cat([result.pos_priors, result.neg_priors])
        num_pos = len(result.pos_priors)
        labels = torch.full((len(bboxes),), num_classes, device=bboxes.device)
        labels[:num_pos] = result.pos_gt_labels
        deltas = bboxes.new_zeros(len(bboxes), 4)
        deltas[:num_pos] = encode(bbox_coder, result.pos_priors, result.pos_gt_bboxes)
        mask = torch.ones_like(labels, dtype=torch.bool)
        rows.append((bboxes, labels, deltas, mask))
    return RoISamples(*(pad_sequence(column, batch_first=True)
                        for column in zip(*rows, strict=True)))

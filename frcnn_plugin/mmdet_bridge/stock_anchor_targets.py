"""RPN targets by mmdet's own assigners and samplers, for heads that name them."""

import torch
from torch import Tensor

from ..ops import encode, inside_mask
from ..registry import TASK_UTILS
from ..structures import AnchorTargets, GroundTruth
from . import targets as protocol


class StockAnchorTargets:
    """Calls a stock assigner and sampler, image by image, behind our interface.

    Slower than :class:`AnchorTargetSampler`, which does the batch at once; it is here
    so that every assigner of mmdet can train our RPN.

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
        gt_instances = protocol.gt_instances_of(gt)
        for instances in gt_instances:
            instances.labels = torch.zeros_like(instances.labels)
        results = protocol.stock_matches(
            self.assigner, self.sampler, [anchors[i] for i in indices], gt_instances)
        for image, (index, result) in enumerate(zip(indices, results, strict=True)):
            positive = index[result.pos_inds]
            labels[image, positive] = 1
            labels[image, index[result.neg_inds]] = 0
            deltas[image, positive] = encode(
                bbox_coder, result.pos_priors, result.pos_gt_bboxes)
        return AnchorTargets(labels, deltas)

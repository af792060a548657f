"""mmdet's assigners and samplers label what ours do."""

import pytest
import torch
from helpers import make_samples, random_boxes
from mmdet.models.task_modules import DeltaXYWHBBoxCoder
from peers.matching import partners

from frcnn_plugin.mmdet_bridge.lists import pack_ground_truth
from frcnn_plugin.mmdet_bridge.stock_targets import (
    StockAnchorTargets,
    StockProposalTargets,
)
from frcnn_plugin.roi import ProposalTargetSampler
from frcnn_plugin.rpn import AnchorGenerator, AnchorTargetSampler
from frcnn_plugin.structures import Proposals

CODER = DeltaXYWHBBoxCoder()
ALL = dict(type='mmdet.RandomSampler', num=10**6, pos_fraction=1.0)


@pytest.fixture
def gt():
    return pack_ground_truth([each.gt_instances for each in make_samples((5, 0, 2))])


@pytest.mark.parametrize('border', [-1, 0])
def test_anchors(gt, border):
    anchors, = AnchorGenerator([16], [0.5, 1, 2], [1, 2, 4], center_offset=0.5
                               ).grid_priors([(8, 10)])
    given = anchors, gt, torch.tensor([[128.0, 160.0]] * 3), CODER
    theirs = StockAnchorTargets(dict(
        assigner=dict(type='mmdet.MaxIoUAssigner', pos_iou_thr=0.7, neg_iou_thr=0.3,
                      min_pos_iou=0.3), allowed_border=border,
        sampler=dict(ALL, add_gt_as_proposals=False)))(*given)
    ours = AnchorTargetSampler(num=-1, min_pos_iou=0.3, reassign_low_quality=True,
                               allowed_border=border)(*given)
    assert torch.equal(theirs.labels, ours.labels) and (ours.labels == 1).any()
    torch.testing.assert_close(theirs.deltas, ours.deltas)


def test_regions(gt):
    mask = torch.arange(40) < torch.tensor([[40], [25], [33]])
    proposals = Proposals(
        random_boxes(120).view(3, 40, 4), torch.rand(3, 40), mask)
    theirs = StockProposalTargets(dict(
        assigner=dict(type='mmdet.MaxIoUAssigner', pos_iou_thr=0.5, neg_iou_thr=0.5,
                      min_pos_iou=0.5, match_low_quality=False),
        sampler=dict(ALL, add_gt_as_proposals=True)))(proposals, gt, 3, CODER)
    ours = ProposalTargetSampler(num=-1)(proposals, gt, 3, CODER)
    assert (ours.labels[ours.mask] < 3).any()
    for image in range(3):
        mine, other = (torch.cat(
            [each.bboxes, each.labels.unsqueeze(-1), each.deltas], dim=-1)[
                image, each.mask[image]] for each in (ours, theirs))
        torch.testing.assert_close(*partners(mine, other), rtol=1e-4, atol=1e-4)

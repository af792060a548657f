"""mmdet's assigners and samplers label what ours do."""

from types import SimpleNamespace

import pytest
import torch
from helpers import make_samples, random_boxes, tiny_detector
from mmdet.models.task_modules import DeltaXYWHBBoxCoder
from peers.matching import partners

from frcnn_plugin.mmdet_bridge.lists import pack_ground_truth
from frcnn_plugin.mmdet_bridge.stock_targets import (
    StockAnchorTargets,
    StockProposalTargets,
)
from frcnn_plugin.registry import MODELS
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


@pytest.mark.parametrize('kind', ['OHEMSampler', 'ScoreHLRSampler'])
def test_samplers_that_ask_for_losses_are_refused(kind):
    context = SimpleNamespace(bbox_head=SimpleNamespace(num_classes=3),
                              bbox_roi_extractor=None, with_shared_head=False)
    sampler = dict(type=f'mmdet.{kind}', num=8, pos_fraction=0.25)
    with pytest.raises(ValueError, match=f"{kind} asks .* mmdet's StandardRoIHead"):
        StockProposalTargets(dict(sampler=sampler, assigner=dict(
            type='mmdet.MaxIoUAssigner', pos_iou_thr=0.5, neg_iou_thr=0.5)), context)


def test_a_loss_with_an_activation_of_its_own_is_refused():
    cfg = tiny_detector().roi_head
    cfg.bbox_head = dict(
        type='mmdet.Shared2FCBBoxHead', in_channels=256, num_classes=3,
        bbox_coder=dict(type='mmdet.DeltaXYWHBBoxCoder'),
        loss_cls=dict(type='mmdet.SeesawLoss', num_classes=3),
        loss_bbox=dict(type='mmdet.L1Loss'))
    with pytest.raises(ValueError, match='an activation of its own'):
        MODELS.build(cfg)

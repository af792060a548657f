"""Our components in a stock mmdet Faster R-CNN, one at a time and all at once."""

import copy

import pytest
import torch
from helpers import make_samples, total
from mmdet.registry import MODELS
from mmengine.config import ConfigDict
from mmengine.registry import DefaultScope
from peers.matching import detection_partners

from frcnn_plugin.accelerate import for_training
from frcnn_plugin.accelerate.roi_align import PixelRoIAlign
from frcnn_plugin.accelerate.suppression import greedy_nms

CODER = dict(type='DeltaXYWHBBoxCoder', target_means=[0.0] * 4, target_stds=[1.0] * 4)
# mmdet's faster-rcnn_r50-caffe-c4, narrower and on small images
STOCK = ConfigDict(
    type='FasterRCNN',
    backbone=dict(
        type='ResNet', depth=18, num_stages=3, strides=(1, 2, 2), dilations=(1, 1, 1),
        out_indices=(2,), norm_eval=True),
    rpn_head=dict(
        type='RPNHead', in_channels=256, feat_channels=32,
        anchor_generator=dict(
            type='AnchorGenerator', scales=[2, 4, 8], ratios=[0.5, 1.0, 2.0],
            strides=[16]),
        bbox_coder=CODER,
        loss_cls=dict(type='CrossEntropyLoss', use_sigmoid=True, loss_weight=1.0),
        loss_bbox=dict(type='L1Loss', loss_weight=1.0)),
    roi_head=dict(
        type='StandardRoIHead',
        shared_head=dict(type='ResLayer', depth=18, stage=3, stride=2, norm_eval=True),
        bbox_roi_extractor=dict(
            type='SingleRoIExtractor',
            roi_layer=dict(type='RoIAlign', output_size=14, sampling_ratio=0),
            out_channels=256, featmap_strides=[16]),
        bbox_head=dict(
            type='BBoxHead', with_avg_pool=True, roi_feat_size=7, in_channels=512,
            num_classes=3,
            bbox_coder=dict(CODER, target_stds=[0.1, 0.1, 0.2, 0.2]),
            reg_class_agnostic=False,
            loss_cls=dict(type='CrossEntropyLoss', use_sigmoid=False, loss_weight=1.0),
            loss_bbox=dict(type='L1Loss', loss_weight=1.0))),
    train_cfg=dict(
        rpn=dict(
            assigner=dict(type='MaxIoUAssigner', pos_iou_thr=0.7, neg_iou_thr=0.3,
                          min_pos_iou=0.3, match_low_quality=True, ignore_iof_thr=-1),
            sampler=dict(type='RandomSampler', num=64, pos_fraction=0.5, neg_pos_ub=-1,
                         add_gt_as_proposals=False),
            allowed_border=-1, pos_weight=-1, debug=False),
        rpn_proposal=dict(nms_pre=200, max_per_img=30,
                          nms=dict(type='nms', iou_threshold=0.7), min_bbox_size=0),
        rcnn=dict(
            assigner=dict(type='MaxIoUAssigner', pos_iou_thr=0.5, neg_iou_thr=0.5,
                          min_pos_iou=0.5, match_low_quality=False, ignore_iof_thr=-1),
            sampler=dict(type='RandomSampler', num=8, pos_fraction=0.25, neg_pos_ub=-1,
                         add_gt_as_proposals=True),
            pos_weight=-1, debug=False)),
    test_cfg=dict(
        rpn=dict(nms_pre=200, max_per_img=8, nms=dict(type='nms', iou_threshold=0.7),
                 min_bbox_size=0),
        rcnn=dict(score_thr=0.05, nms=dict(type='nms', iou_threshold=0.5),
                  max_per_img=100)))


def our_backbone(cfg):
    cfg.backbone = dict(type='frcnn_plugin.ResNetC4', depth=18)


def our_anchors(cfg):
    cfg.rpn_head.anchor_generator.type = 'frcnn_plugin.AnchorGenerator'


def our_rpn_head(cfg):
    cfg.rpn_head.type = 'frcnn_plugin.RPNHead'


def our_anchor_sampler(cfg):
    ours = dict(type='frcnn_plugin.AnchorTargetSampler', num=64)
    cfg.train_cfg.rpn.assigner = ours
    cfg.train_cfg.rpn.sampler = dict(ours)


def our_proposal_sampler(cfg):
    ours = dict(type='frcnn_plugin.ProposalTargetSampler', num=8)
    cfg.train_cfg.rcnn.assigner = ours
    cfg.train_cfg.rcnn.sampler = dict(ours)


def our_extractor(cfg):
    cfg.roi_head.bbox_roi_extractor.type = 'frcnn_plugin.RoIPoolExtractor'
    cfg.roi_head.bbox_roi_extractor.roi_layer = dict(type='RoIPool', output_size=14)


def our_shared_head(cfg):
    cfg.roi_head.shared_head = dict(type='frcnn_plugin.ResNetC5Head', depth=18)


def our_bbox_head(cfg):
    cfg.roi_head.bbox_head.type = 'frcnn_plugin.BBoxHead'


def our_roi_head(cfg):
    cfg.roi_head.type = 'frcnn_plugin.RoIHead'


def our_detector(cfg):
    cfg.type = 'frcnn_plugin.FasterRCNN'


ONE_AT_A_TIME = [our_backbone, our_anchors, our_rpn_head, our_anchor_sampler,
                 our_proposal_sampler, our_extractor, our_shared_head, our_bbox_head,
                 our_roi_head, our_detector]


def in_stock_detector(cfg):
    """All of ours that mmdet's own detector and RoI head can hold, at once."""
    for change in ONE_AT_A_TIME:
        if change not in (our_detector, our_roi_head):
            change(cfg)


def everything(cfg):
    for change in ONE_AT_A_TIME:
        change(cfg)


@pytest.mark.parametrize('change', [*ONE_AT_A_TIME, in_stock_detector, everything],
                         ids=lambda change: change.__name__)
def test_trains_a_step_and_predicts(change):
    cfg = copy.deepcopy(STOCK)
    change(cfg)
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = MODELS.build(cfg)
        model.init_weights()
        model.train()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.001)
        images, samples = torch.randn(2, 3, 128, 160), make_samples((4, 2))
        before = [p.detach().clone() for p in model.parameters()]
        losses = model.loss(images, copy.deepcopy(samples))
        loss = total(losses)
        assert torch.isfinite(loss)
        loss.backward()
        optimizer.step()
        changed = [not torch.equal(a, b) for a, b in
                   zip(before, model.parameters(), strict=True)]
        assert sum(changed) > len(changed) / 2  # not all: mmdet zeroes some at first
        model.eval()
        with torch.no_grad():
            found = model.predict(images, copy.deepcopy(samples))
    assert all(hasattr(sample, 'pred_instances') for sample in found)
    assert all(sample.pred_instances.bboxes.shape[-1] == 4 for sample in found)


def test_the_fast_parts_fit_a_stock_detector():
    cfg = copy.deepcopy(STOCK)
    in_stock_detector(cfg)
    cfg.roi_head.bbox_roi_extractor.roi_layer.type = 'RoIAlign'
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = for_training(MODELS.build(cfg)).train()
        losses = model.loss(torch.randn(2, 3, 128, 160), make_samples((4, 2)))
    assert torch.isfinite(total(losses))
    assert model.rpn_head.proposal_creator.nms is greedy_nms
    assert type(model.roi_head.bbox_roi_extractor) is PixelRoIAlign


def test_in_our_detector_stock_parts_and_fpn():
    """Stock backbone, neck and heads inside ours, under our scope."""
    cfg = copy.deepcopy(STOCK)
    cfg.type = 'frcnn_plugin.FasterRCNN'
    cfg.backbone = dict(type='ResNet', depth=18, num_stages=4, out_indices=(0, 1, 2, 3))
    cfg.neck = dict(type='FPN', in_channels=[64, 128, 256, 512], out_channels=32,
                    num_outs=5)
    cfg.rpn_head.update(type='frcnn_plugin.RPNHead', in_channels=32)
    cfg.rpn_head.anchor_generator.update(strides=[4, 8, 16, 32, 64], scales=[8])
    cfg.roi_head = dict(
        type='frcnn_plugin.RoIHead',
        bbox_roi_extractor=dict(
            type='frcnn_plugin.RoIPoolExtractor',
            roi_layer=dict(type='RoIAlign', output_size=7), out_channels=32,
            featmap_strides=[4, 8, 16, 32]),
        bbox_head=dict(type='Shared2FCBBoxHead', in_channels=32, fc_out_channels=64,
                       num_classes=3))
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = MODELS.build(cfg)
        images, samples = torch.randn(2, 3, 128, 160), make_samples((4, 2))
        assert torch.isfinite(total(model.loss(images, samples)))
        model.eval()
        with torch.no_grad():
            assert len(model.predict(images, samples)) == 2


def test_our_defaults_are_ours_under_mmdets_scope():
    cfg = copy.deepcopy(STOCK)
    cfg.type = 'frcnn_plugin.FasterRCNN'
    cfg.rpn_head = dict(type='frcnn_plugin.RPNHead', in_channels=256, feat_channels=16)
    cfg.roi_head.type = 'frcnn_plugin.RoIHead'
    cfg.train_cfg = cfg.test_cfg = None
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = MODELS.build(cfg)
        losses = model.loss(torch.randn(2, 3, 128, 160), make_samples((4, 2)))
    assert torch.isfinite(total(losses))
    assert model.rpn_head.prior_generator.style == 'classic'


def losses_of(found: dict) -> dict:
    return {name: sum(value) if isinstance(value, list) else value
            for name, value in found.items() if 'loss' in name}


@pytest.mark.parametrize('change', [
    our_rpn_head, our_bbox_head, our_roi_head, our_detector],
    ids=lambda change: change.__name__)
def test_the_same_numbers_as_the_stock_detector(change):
    """With the same weights and draws; boxes are in pixels of the original images."""
    images, samples = torch.randn(2, 3, 128, 160), make_samples((6, 5))
    for sample in samples:
        sample.set_metainfo(dict(scale_factor=(2.0, 4.0)))
    cfg, losses, found = copy.deepcopy(STOCK), [], []
    change(cfg)
    with DefaultScope.overwrite_default_scope('mmdet'):
        stock, ours = MODELS.build(copy.deepcopy(STOCK)), MODELS.build(cfg)
        stock.init_weights()
        for layer in (stock.rpn_head.rpn_cls, stock.roi_head.bbox_head.fc_cls):
            torch.nn.init.normal_(layer.weight, std=0.1)
        own = ours.state_dict()
        ours.load_state_dict({
            name if name in own else name.replace('rpn_conv.', 'rpn_conv.0.'): value
            for name, value in stock.state_dict().items()})
        for net in (stock, ours):
            torch.manual_seed(3)
            losses.append(losses_of(net.train().loss(images, copy.deepcopy(samples))))
            with torch.no_grad():
                found.append(net.eval().predict(images, copy.deepcopy(samples)))
    torch.testing.assert_close(losses[1], losses[0], rtol=1e-4, atol=1e-6)
    for theirs, mine in zip(*found, strict=True):
        assert len(theirs.pred_instances) > 0
        for pair in detection_partners(mine.pred_instances, theirs.pred_instances):
            torch.testing.assert_close(*pair, rtol=1e-4, atol=1e-3)

import math

import pytest
import torch
from mmdet.models.roi_heads.bbox_heads import BBoxHead as MMDetBBoxHead

from frcnn_plugin.registry import MODELS
from frcnn_plugin.roi import BBoxHead

CODER = dict(type='mmdet.DeltaXYWHBBoxCoder', target_stds=(0.1, 0.1, 0.2, 0.2))


def build(**options):
    return MODELS.build(dict(type='BBoxHead', **options))


def test_shapes_with_fully_connected_layers():
    """RoIPool 7x7, flattened to 50176, 4096, 21 and 84."""
    head = build(num_classes=20, in_channels=1024, roi_feat_size=7, with_avg_pool=False,
                 fc_channels=[4096])
    assert head.shared_fcs[0].weight.shape == (4096, 50176)
    with torch.no_grad():
        cls_score, bbox_pred = head(torch.rand(3, 1024, 7, 7))
    assert cls_score.shape == (3, 21) and bbox_pred.shape == (3, 80)


def test_class_agnostic_and_classes_only():
    features = torch.rand(2, 8, 7, 7)
    assert build(num_classes=5, in_channels=8, reg_class_agnostic=True)(
        features)[1].shape == (2, 4)
    assert build(num_classes=5, in_channels=8, with_reg=False)(features)[1] is None


@pytest.mark.parametrize('agnostic', [False, True])
def test_losses_equal_mmdets(agnostic):
    options = dict(num_classes=5, in_channels=8, with_avg_pool=True, bbox_coder=CODER,
                   reg_class_agnostic=agnostic)
    ours = build(**options)
    peer = MMDetBBoxHead(**options, loss_bbox=dict(type='mmdet.SmoothL1Loss', beta=1.0))
    cls_score = torch.randn(20, 6, requires_grad=True)
    bbox_pred = torch.randn(20, 4 if agnostic else 20, requires_grad=True)
    labels, deltas = torch.randint(6, (20,)), torch.randn(20, 4)
    mask = torch.ones(20, dtype=torch.bool)
    found = ours.losses(cls_score, bbox_pred, labels, deltas, mask)
    wanted = peer.loss(cls_score, bbox_pred, None, labels, mask.float(), deltas,
                       torch.ones_like(deltas))
    for name in ('loss_cls', 'loss_bbox'):
        torch.testing.assert_close(found[name], wanted[name], rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(found['acc'], wanted['acc'].squeeze())
    grads = [torch.autograd.grad(x['loss_cls'] + x['loss_bbox'], [cls_score, bbox_pred])
             for x in (found, wanted)]
    for a, b in zip(*grads, strict=True):
        torch.testing.assert_close(a, b)


def test_rows_behind_the_mask_change_nothing():
    head = build(num_classes=3, in_channels=8)
    scores, deltas = torch.randn(10, 4), torch.randn(10, 12)
    labels, targets = torch.randint(4, (10,)), torch.randn(10, 4)
    mask = torch.arange(10) < 6
    part = head.losses(scores[:6], deltas[:6], labels[:6], targets[:6], mask[:6])
    whole = head.losses(scores, deltas, labels, targets, mask)
    for name in part:
        torch.testing.assert_close(part[name], whole[name])


def test_first_loss_is_ln_of_the_classes():
    head = build(num_classes=20, in_channels=64)
    head.init_weights()
    cls_score, bbox_pred = head(torch.rand(128, 64, 7, 7))
    mask = torch.ones(128, dtype=torch.bool)
    losses = head.losses(cls_score, bbox_pred, torch.randint(21, (128,)),
                         torch.zeros(128, 4), mask)
    assert abs(losses['loss_cls'].item() - math.log(21)) < 0.05 * math.log(21)


def test_deltas_of_the_background_are_there_and_change_nothing():
    """84 columns for 20 classes, as simple-faster-rcnn has them."""
    plain = BBoxHead(20, in_channels=8, reg_background=False)
    whole = BBoxHead(20, in_channels=8, reg_background=True)
    assert whole.fc_reg.out_features == 84 and plain.fc_reg.out_features == 80
    plain.fc_cls.load_state_dict(whole.fc_cls.state_dict())
    for name in ('weight', 'bias'):
        getattr(plain.fc_reg, name).data = getattr(whole.fc_reg, name).data[:80]
    x, rois = torch.randn(6, 8, 7, 7), torch.rand(6, 5) * 50
    rois[:, 3:] += rois[:, 1:3]
    labels = torch.tensor([0, 3, 19, 20, 20, 7])
    targets = labels, torch.randn(6, 4), torch.ones(6, dtype=torch.bool)
    metas = [dict(img_shape=(100, 100))]
    cfg = dict(score_thr=0.0, nms=dict(type='nms', iou_threshold=0.5), max_per_img=9)
    results = []
    for head in (plain, whole):
        cls_score, bbox_pred = head(x)
        (found,) = head.predict_by_feat([rois], [cls_score], [bbox_pred], metas, cfg)
        results.append((head.losses(cls_score, bbox_pred, *targets), found))
    (losses, found), (same_losses, same_found) = results
    torch.testing.assert_close(losses, same_losses)
    torch.testing.assert_close(found.bboxes, same_found.bboxes)

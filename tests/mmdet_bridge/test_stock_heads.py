"""mmdet's heads with the interface of ours."""

import torch
from helpers import make_samples, random_boxes, tiny_detector, total

from frcnn_plugin.mmdet_bridge.lists import pack_ground_truth
from frcnn_plugin.mmdet_bridge.stock_heads import samples_of, stock_bbox_losses
from frcnn_plugin.ops import encode
from frcnn_plugin.registry import MODELS

GIOU = dict(
    type='mmdet.Shared2FCBBoxHead', in_channels=4, fc_out_channels=8, num_classes=3,
    roi_feat_size=7, reg_decoded_bbox=True, loss_bbox=dict(type='mmdet.GIoULoss'),
    bbox_coder=dict(type='mmdet.DeltaXYWHBBoxCoder', target_stds=[0.1, 0.1, 0.2, 0.2]))


def test_a_loss_on_boxes_is_given_boxes():
    """No loss where the deltas are right, and the GIoU of the proposals at 0."""
    head = MODELS.build(GIOU)
    rois, gt_bboxes = random_boxes(6), random_boxes(6)
    deltas, labels = encode(head.bbox_coder, rois, gt_bboxes), torch.arange(6) % 3
    mask = torch.tensor([True] * 5 + [False])
    inputs = (torch.cat([torch.zeros(6, 1), rois], dim=1), labels, deltas, mask)
    right = stock_bbox_losses(head, torch.zeros(6, 4), deltas.repeat(1, 3), *inputs)
    assert right['loss_bbox'].abs() < 1e-4
    zero = stock_bbox_losses(head, torch.zeros(6, 4), torch.zeros(6, 12), *inputs)
    expected = head.loss_bbox(rois[:5], gt_bboxes[:5])
    torch.testing.assert_close(zero['loss_bbox'], expected, rtol=1e-4, atol=1e-5)


def test_tensors_alone_are_enough_for_heads_of_mmdet():
    """``losses`` and ``detect`` without data samples, with both heads mmdet's."""
    rpn = dict(
        type='mmdet.RPNHead', in_channels=256, feat_channels=16,
        anchor_generator=dict(type='mmdet.AnchorGenerator', strides=[16],
                              ratios=[1.0], scales=[2, 4]),
        bbox_coder=dict(type='mmdet.DeltaXYWHBBoxCoder'),
        loss_cls=dict(type='mmdet.CrossEntropyLoss', use_sigmoid=True),
        loss_bbox=dict(type='mmdet.L1Loss'))
    roi = dict(
        type='mmdet.StandardRoIHead',
        bbox_roi_extractor=dict(
            type='mmdet.SingleRoIExtractor', out_channels=256, featmap_strides=[16],
            roi_layer=dict(type='RoIAlign', output_size=7)),
        bbox_head=dict(GIOU, in_channels=256))
    nms, sampler = dict(type='nms', iou_threshold=0.7), dict(
        type='mmdet.RandomSampler', num=32, pos_fraction=0.5)
    proposals = dict(nms_pre=100, max_per_img=30, nms=nms, min_bbox_size=0)
    assigner = dict(type='mmdet.MaxIoUAssigner', pos_iou_thr=0.5, neg_iou_thr=0.5,
                    min_pos_iou=0.3)
    model = MODELS.build(tiny_detector(
        rpn_head=rpn, roi_head=roi, train_cfg=dict(
            rpn=dict(assigner=assigner, sampler=dict(
                sampler, add_gt_as_proposals=False), allowed_border=-1, pos_weight=-1),
            rpn_proposal=proposals,
            rcnn=dict(assigner=assigner, sampler=dict(
                sampler, add_gt_as_proposals=True), pos_weight=-1)),
        test_cfg=dict(rpn=proposals, rcnn=dict(
            score_thr=0.01, nms=dict(type='nms', iou_threshold=0.5), max_per_img=10))))
    images, sizes = torch.randn(2, 3, 128, 160), torch.tensor([[128.0, 160.0]] * 2)
    gt = pack_ground_truth([each.gt_instances for each in make_samples((3, 2))])
    losses = model.losses(images, sizes, gt)
    assert {'rpn_loss_cls', 'loss_rpn_cls'} & set(losses) and 'loss_bbox' in losses
    assert torch.isfinite(total(losses))
    model.eval()
    with torch.no_grad():
        found = model.detect(images, sizes)
        logits, deltas = model(images, samples_of(sizes))  # mode 'tensor'
    assert found.mask.any() and found.bboxes.shape[::2] == (2, 4)
    assert logits.shape == (60, 4) and deltas.shape == (60, 12)

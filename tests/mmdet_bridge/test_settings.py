"""mmdet's ``train_cfg`` and ``test_cfg``, as our parts read them."""

import copy

import pytest
import torch
from helpers import make_samples, tiny_detector

from frcnn_plugin.mmdet_bridge.settings import proposal_settings
from frcnn_plugin.registry import MODELS, TASK_UTILS

NMS = dict(type='nms', iou_threshold=0.7)
TRAIN_CFG = dict(
    rpn=dict(
        assigner=dict(type='MaxIoUAssigner', pos_iou_thr=0.7, neg_iou_thr=0.3,
                      min_pos_iou=0.3),
        sampler=dict(type='RandomSampler', num=64, pos_fraction=0.5,
                     add_gt_as_proposals=False),
        allowed_border=-1, pos_weight=-1),
    rpn_proposal=dict(nms_pre=300, max_per_img=70, nms=dict(NMS, iou_threshold=0.9),
                      min_bbox_size=2))
TEST_CFG = dict(rpn=dict(nms_pre=200, max_per_img=9, nms=NMS, min_bbox_size=0))
OURS = dict(type='RPNHead', in_channels=256, feat_channels=16)
STOCK = dict(
    type='mmdet.RPNHead', in_channels=256, feat_channels=16,
    anchor_generator=dict(type='mmdet.AnchorGenerator', strides=[16],
                          ratios=[0.5, 1.0, 2.0], scales=[2, 4, 8]),
    bbox_coder=dict(type='mmdet.DeltaXYWHBBoxCoder'),
    loss_cls=dict(type='mmdet.CrossEntropyLoss', use_sigmoid=True),
    loss_bbox=dict(type='mmdet.L1Loss'))


@pytest.mark.parametrize('head', [OURS, STOCK], ids=['ours', 'stock'])
def test_training_has_proposals_of_its_own(head):
    """What the steps 2 and 4 of alternating training train on."""
    model = MODELS.build(tiny_detector(
        rpn_head=head, train_cfg=TRAIN_CFG, test_cfg=TEST_CFG)).eval()
    torch.nn.init.normal_(model.rpn_head.rpn_cls.weight, std=0.1)
    images, samples = torch.randn(2, 3, 128, 160), make_samples((2, 3))
    counts = [model.propose_for(images, samples, training).mask.sum(1).tolist()
              for training in (True, False)]
    assert counts[1] == [9, 9] and min(counts[0]) > 9


def test_without_settings_for_the_rpn_its_proposals_are_still_read():
    model = MODELS.build(tiny_detector(
        rpn_head=OURS, train_cfg=dict(rpn_proposal=TRAIN_CFG['rpn_proposal']),
        test_cfg=TEST_CFG))
    assert model.rpn_head.proposal_creator.train['max_per_img'] == 70
    assert model.rpn_head.proposal_creator.test['max_per_img'] == 9


def test_each_phase_has_its_threshold_and_its_smallest_box():
    creator = TASK_UTILS.build(proposal_settings(
        TEST_CFG['rpn'], TRAIN_CFG['rpn_proposal']))
    assert creator.train == dict(nms_pre=300, max_per_img=70, nms_iou_thr=0.9,
                                 min_bbox_size=2)
    assert creator.test == dict(nms_pre=200, max_per_img=9, nms_iou_thr=0.7,
                                min_bbox_size=0)
    shift = torch.arange(20.0).view(-1, 1)
    anchors = torch.tensor([[0.0, 0, 100, 100]]) + shift  # neighbours of IoU 0.96
    objectness = torch.linspace(1, 0.5, 20).view(1, -1)
    kept = [creator(objectness, torch.zeros(1, 20, 4), anchors,
                    torch.tensor([[200.0, 200.0]]), TASK_UTILS.build(dict(
                        type='DeltaXYWHBBoxCoder')), training=training).mask.sum()
            for training in (True, False)]
    assert kept[0] > kept[1]


def test_other_kinds_of_suppression_are_refused():
    cfg = copy.deepcopy(TEST_CFG['rpn'])
    cfg['nms']['type'] = 'soft_nms'
    with pytest.raises(ValueError, match="'soft_nms'; only 'nms' is supported here"):
        proposal_settings(cfg)

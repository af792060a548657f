import copy

import pytest
import torch
from helpers import make_samples
from mmdet.models.dense_heads import RPNHead as MMDetRPNHead
from mmengine.config import ConfigDict

from frcnn_plugin.mmdet_bridge.lists import image_sizes, pack_ground_truth
from frcnn_plugin.registry import MODELS

SIZE = (128, 160)
ANCHORS = dict(type='mmdet.AnchorGenerator', strides=[8, 16], ratios=[0.5, 1.0, 2.0],
               scales=[2, 4])
PROPOSALS = dict(nms_pre=150, max_per_img=60, nms=dict(type='nms', iou_threshold=0.7),
                 min_bbox_size=0)


def peers(use_sigmoid: bool):
    """Our head and mmdet's with the same weights, all labelled anchors kept."""
    loss_cls = dict(type='CrossEntropyLoss', use_sigmoid=use_sigmoid)
    ours = MODELS.build(dict(
        type='RPNHead', in_channels=16, feat_channels=16, anchor_generator=ANCHORS,
        loss_cls=loss_cls, loss_bbox=dict(type='L1Loss'), test_cfg=PROPOSALS,
        target_sampler=dict(
            type='AnchorTargetSampler', num=-1, allowed_border=0, min_pos_iou=0.3,
            reassign_low_quality=True)))
    train_cfg = ConfigDict(
        assigner=dict(type='mmdet.MaxIoUAssigner', pos_iou_thr=0.7, neg_iou_thr=0.3,
                      min_pos_iou=0.3),
        sampler=dict(type='mmdet.RandomSampler', num=10**6, pos_fraction=1.0,
                     add_gt_as_proposals=False),
        allowed_border=0, pos_weight=-1)
    peer = MMDetRPNHead(
        in_channels=16, feat_channels=16, anchor_generator=ANCHORS,
        bbox_coder=dict(type='mmdet.DeltaXYWHBBoxCoder'), loss_cls=loss_cls,
        loss_bbox=dict(type='mmdet.L1Loss'), train_cfg=train_cfg,
        test_cfg=ConfigDict(PROPOSALS))
    for parameter in ours.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    state = {name.replace('rpn_conv.0.', 'rpn_conv.'): value.clone()
             for name, value in ours.state_dict().items()}
    if not use_sigmoid:  # mmdet has the background behind the object
        for name in ('rpn_cls.weight', 'rpn_cls.bias'):
            state[name] = state[name].unflatten(0, (-1, 2)).flip(1).flatten(0, 1)
    peer.load_state_dict(state)
    return ours, peer


def features():
    return [torch.randn(2, 16, 16, 20), torch.randn(2, 16, 8, 10)]


@pytest.mark.parametrize('use_sigmoid', [True, False])
def test_losses_and_proposals_equal_mmdets(use_sigmoid):
    ours, peer = peers(use_sigmoid)
    samples, x = make_samples([6, 3], num_classes=1), features()
    found, found_list = ours.loss_and_predict(x, copy.deepcopy(samples), PROPOSALS)
    wanted, wanted_list = peer.loss_and_predict(
        x, copy.deepcopy(samples), ConfigDict(PROPOSALS))
    for name in ('loss_rpn_cls', 'loss_rpn_bbox'):
        torch.testing.assert_close(found[name], sum(wanted[name]), rtol=1e-5, atol=1e-7)
    for a, b in zip(found_list, wanted_list, strict=True):
        torch.testing.assert_close(a.bboxes, b.bboxes, atol=1e-4, rtol=1e-5)
        torch.testing.assert_close(a.scores, b.scores, atol=1e-6, rtol=1e-5)
    assert [len(a) for a in found_list] == [60, 60]


def test_shapes_at_800x800():
    """A map of 50x50, 22500 anchors, softmax over (background, foreground)."""
    head = MODELS.build(dict(type='RPNHead', in_channels=8, feat_channels=8)).eval()
    outputs = head.gather_outputs(*head([torch.rand(1, 8, 50, 50)]))
    assert outputs.logits.shape == (1, 22500, 2)
    assert outputs.deltas.shape == (1, 22500, 4)
    proposals = head.select_proposals(
        outputs, torch.tensor([[800.0, 800.0]]), training=False)
    assert proposals.bboxes.shape == (1, 300, 4)


def test_gradients_reach_every_weight_and_stop_at_the_proposals():
    ours, _ = peers(False)
    samples = make_samples([4, 2])
    gt = pack_ground_truth([s.gt_instances for s in samples])
    sizes = image_sizes([s.metainfo for s in samples], 'cpu')
    proposals, losses = ours.run(features(), sizes, training=True, gt=gt)
    assert not proposals.bboxes.requires_grad
    sum(losses.values()).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in ours.parameters())


def test_first_objectness_loss_is_ln_2():
    ours, _ = peers(False)
    ours.init_weights()
    samples = make_samples([4, 2])
    loss = ours.loss(features(), samples)['loss_rpn_cls'].item()
    assert abs(loss - 0.6931) < 0.05 * 0.6931


def test_stock_assigners_train_our_head():
    head = MODELS.build(dict(
        type='RPNHead', in_channels=16, feat_channels=16, anchor_generator=dict(
            type='AnchorGenerator', strides=[8], ratios=[1.0], scales=[4]),
        train_cfg=dict(
            assigner=dict(type='mmdet.MaxIoUAssigner', pos_iou_thr=0.5, neg_iou_thr=0.4,
                          min_pos_iou=0.0),
            sampler=dict(type='mmdet.RandomSampler', num=32, pos_fraction=0.5,
                         add_gt_as_proposals=False)),
        test_cfg=PROPOSALS))
    losses = head.loss([torch.randn(2, 16, 16, 20)], make_samples([4, 0]))
    assert all(torch.isfinite(value) for value in losses.values())
    assert losses['loss_rpn_bbox'] > 0


def test_more_than_one_class_is_refused():
    with pytest.raises(ValueError, match='num_classes must be 1'):
        MODELS.build(dict(type='RPNHead', in_channels=8, num_classes=20))


def test_the_padding_of_a_batch_proposes_nothing():
    """Anchors beyond an image, however sure, leave its proposals as they are."""
    head = MODELS.build(dict(
        type='RPNHead', in_channels=8, feat_channels=8, anchor_generator=dict(
            type='AnchorGenerator', strides=[16], ratios=[1.0], scales=[2],
            center_offset=0.5))).eval()
    logits, deltas = [torch.randn(1, 2, 8, 10)], [torch.zeros(1, 4, 8, 10)]
    sizes = torch.tensor([[64.0, 80.0]])
    plain = head.select_proposals(
        head.gather_outputs(logits, deltas), sizes, training=False)
    logits[0][:, 1, 4:] = 50
    logits[0][:, 1, :, 5:] = 50
    sure = head.select_proposals(
        head.gather_outputs(logits, deltas), sizes, training=False)
    assert torch.equal(plain.bboxes, sure.bboxes)
    assert torch.equal(plain.scores, sure.scores) and plain.mask.any()


@pytest.mark.parametrize('use_sigmoid', [True, False])
def test_proposals_in_pixels_of_the_original_images(use_sigmoid):
    ours, peer = peers(use_sigmoid)
    samples, x = make_samples([6, 3], num_classes=1), features()
    for sample in samples:
        sample.set_metainfo(dict(scale_factor=(2.0, 4.0)))
    for mine, theirs in zip(*(head.eval().predict(x, samples, rescale=True)
                              for head in (ours, peer)), strict=True):
        torch.testing.assert_close(mine.bboxes, theirs.bboxes, atol=1e-4, rtol=1e-5)
        torch.testing.assert_close(mine.scores, theirs.scores, atol=1e-6, rtol=1e-5)


def test_several_hidden_convolutions():
    head = MODELS.build(dict(type='RPNHead', in_channels=8, feat_channels=4,
                             num_convs=2))
    assert [conv.in_channels for conv in head.rpn_conv] == [8, 4]
    assert head([torch.rand(1, 8, 5, 5)])[0][0].shape == (1, 18, 5, 5)

import math

import pytest
import torch
from helpers import (
    RPN_HEAD,
    few_regions,
    make_samples,
    random_boxes,
    tiny_detector,
    total,
)
from mmengine.structures import InstanceData

from frcnn_plugin.mmdet_bridge.lists import pack_ground_truth
from frcnn_plugin.registry import MODELS

LOSSES = {'loss_rpn_cls', 'loss_rpn_bbox', 'loss_cls', 'loss_bbox', 'acc'}


@pytest.fixture
def model():
    model = MODELS.build(tiny_detector())
    model.init_weights()
    return model


@pytest.mark.parametrize('counts', [(3, 5), (0, 4), (0, 0), (200, 1)])
def test_trains_a_step_on_any_number_of_boxes(model, counts):
    losses = model.train()(torch.randn(2, 3, 128, 160), make_samples(counts), 'loss')
    assert set(losses) == LOSSES
    assert all(torch.isfinite(value) for value in losses.values())
    total(losses).backward()
    grads = [p.grad for p in model.parameters() if p.requires_grad]
    assert all(grad is not None and torch.isfinite(grad).all() for grad in grads)


@pytest.mark.long
@pytest.mark.parametrize('kind', ['RoIPool', 'RoIAlign'])
def test_half_precision_in_the_network_and_not_in_the_boxes(kind):
    cfg = few_regions(tiny_detector())
    cfg.roi_head.bbox_roi_extractor.roi_layer.type = kind
    model = MODELS.build(cfg)
    model.init_weights()
    images, samples = torch.randn(2, 3, 64, 80), make_samples((3, 5), size=(64, 80))
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert model(images, mode='extractor')[0].dtype == torch.bfloat16
        losses = model.train()(images, samples, 'loss')
    assert all(value.dtype == torch.float32 for value in losses.values())
    total(losses).backward()
    assert all(p.grad is None or torch.isfinite(p.grad).all()
               for p in model.parameters())
    model.eval()
    with torch.no_grad(), torch.autocast('cpu', dtype=torch.bfloat16):
        found = model.predict(images, samples)[0].pred_instances
    assert found.bboxes.dtype == found.scores.dtype == torch.float32


def test_predictions_are_in_pixels_of_the_original_images(model):
    images, samples = torch.randn(2, 3, 128, 160), make_samples((1, 1))
    for sample in samples:
        sample.set_metainfo(dict(scale_factor=(2.0, 4.0)))
    model.eval()
    with torch.no_grad():
        scaled = model.predict(images, samples, rescale=True)
        scaled = [sample.pred_instances for sample in scaled]
        plain = model.predict(images, samples, rescale=False)
    for a, b in zip(scaled, plain, strict=True):
        factor = torch.tensor([2.0, 4, 2, 4])
        torch.testing.assert_close(a.bboxes * factor, b.pred_instances.bboxes)
        assert len(a.scores) == len(a.labels) == len(a.bboxes) > 0


def test_an_image_is_not_changed_by_the_other_in_its_batch(model):
    images, samples = torch.randn(2, 3, 128, 160), make_samples((1, 1))
    model.eval()
    with torch.no_grad():
        both = [s.pred_instances for s in model.predict(images, samples)]
        alone = model.predict(images[1:], samples[1:])[0].pred_instances
    torch.testing.assert_close(both[1].bboxes, alone.bboxes, atol=1e-3, rtol=1e-4)
    torch.testing.assert_close(both[1].scores, alone.scores, atol=1e-5, rtol=1e-4)


def test_boxes_stay_on_their_image_and_not_on_its_padding(model):
    samples = make_samples((1, 1))
    samples[0].set_metainfo(dict(img_shape=(60, 70)))
    model.eval()
    with torch.no_grad():
        found = model.predict(torch.randn(2, 3, 128, 160), samples)[0].pred_instances
    assert (found.bboxes[:, 2] <= 70).all() and (found.bboxes[:, 3] <= 60).all()


def test_parts_on_their_own(model):
    """The stages one by one: extractor, rpn, head."""
    model.eval()
    with torch.no_grad():
        feats = model(torch.randn(2, 3, 128, 160), mode='extractor')
        assert feats[0].shape == (2, 256, 8, 10)
        sizes = torch.tensor([[128.0, 160.0]] * 2)
        logits, deltas, anchors, proposals = model((feats, sizes), mode='rpn')
        assert logits.shape == (2, 720, 2) and deltas.shape == (2, 720, 4)
        assert anchors.shape == (720, 4) and proposals.bboxes.shape == (2, 20, 4)
        rois = torch.cat([torch.zeros(5, 1), random_boxes(5)], dim=1)
        cls_score, bbox_pred = model((feats, rois), mode='head')
        assert cls_score.shape == (5, 4) and bbox_pred.shape == (5, 12)
        cls_score, bbox_pred = model(torch.randn(1, 3, 128, 160))
        assert cls_score.shape == (20, 4) and bbox_pred.shape == (20, 12)


def test_shapes_through_the_main_config(repo):
    """One image of 800x800 through frcnn_r50_c4_voc.py."""
    from mmengine.config import Config
    cfg = Config.fromfile(repo / 'configs/frcnn_r50_c4_voc.py')
    cfg.model.roi_head.shared_head.init_cfg = cfg.model.backbone.init_cfg = None
    model = MODELS.build(cfg.model)
    model.rpn_head.init_weights()
    model.eval()
    with torch.no_grad():
        feats = model(torch.rand(1, 3, 800, 800), mode='extractor')
        assert feats[0].shape == (1, 1024, 50, 50)
        logits, deltas, anchors, proposals = model(
            (feats, torch.tensor([[800.0, 800.0]])), mode='rpn')
        assert anchors.shape == (22500, 4)
        assert deltas.shape == (1, 22500, 4) and logits.shape == (1, 22500, 2)
        assert proposals.bboxes.shape == (1, 300, 4)
        rois = torch.cat([torch.zeros(4, 1), proposals.bboxes[0, :4]], dim=1)
        cls_score, bbox_pred = model((feats, rois), mode='head')
        assert cls_score.shape == (4, 21) and bbox_pred.shape == (4, 80)


def test_first_losses_from_scratch():
    """ln 2 for objectness, ln (C + 1) for classes."""
    cfg = tiny_detector()
    cfg.backbone.norm_eval = False
    cfg.roi_head.shared_head.norm_eval = False
    cfg.roi_head.bbox_head.num_classes = 20
    model = MODELS.build(cfg)
    model.init_weights()
    losses = model.train()(
        torch.randn(2, 3, 128, 160), make_samples((4, 3), 20), 'loss')
    assert abs(losses['loss_rpn_cls'].item() - math.log(2)) < 0.05 * math.log(2)
    assert abs(losses['loss_cls'].item() - math.log(21)) < 0.05 * math.log(21)


def test_without_rpn_the_proposals_come_with_the_data():
    model = MODELS.build(tiny_detector(rpn_head=None))
    images, samples = torch.randn(2, 3, 128, 160), make_samples((3, 2))
    with pytest.raises(ValueError, match='needs proposals with its data'):
        model(images, samples, 'loss')
    with pytest.raises(ValueError, match='needs proposals with its data'):
        model.detect(images, torch.tensor([[128.0, 160.0]] * 2))
    for sample in samples:
        sample.proposals = InstanceData(bboxes=random_boxes(30))
    losses = model(images, samples, 'loss')
    assert set(losses) == {'loss_cls', 'loss_bbox', 'acc'}
    model.eval()
    with torch.no_grad():
        assert len(model.predict(images, samples)) == 2


def test_sigmoid_and_softmax_take_the_same_settings():
    head = dict(RPN_HEAD, loss_cls=dict(type='CrossEntropyLoss', use_sigmoid=True))
    model = MODELS.build(tiny_detector(rpn_head=head))
    losses = model(torch.randn(2, 3, 128, 160), make_samples((3, 2)), 'loss')
    assert model.rpn_head.rpn_cls.out_channels == 9
    assert torch.isfinite(losses['loss_rpn_cls'])


def test_tensors_in_and_tensors_out(model):
    """The same losses and detections as by mmdet's protocol."""
    images, samples = torch.randn(2, 3, 128, 160), make_samples((3, 5))
    sizes = torch.tensor([[128.0, 160.0]] * 2)
    gt = pack_ground_truth([sample.gt_instances for sample in samples])
    torch.manual_seed(1)
    losses = model.losses(images, sizes, gt)
    torch.manual_seed(1)
    for name, value in model.loss(images, samples).items():
        assert torch.equal(value, losses[name]), name
    model.eval()
    with torch.no_grad():
        found = model.detect(images, sizes)
        listed = model.predict(images, samples, rescale=False)
    for index, sample in enumerate(listed):
        real = found.mask[index]
        assert torch.equal(found.bboxes[index][real], sample.pred_instances.bboxes)


def test_given_proposals_take_the_place_of_the_rpns(model):
    images, sizes = torch.randn(1, 3, 128, 160), torch.tensor([[128.0, 160.0]])
    model.eval()
    with torch.no_grad():
        proposals = model.propose(images, sizes, training=False)
        torch.testing.assert_close(model.detect(images, sizes, proposals)[0],
                                   model.detect(images, sizes)[0])
        one = proposals._replace(mask=proposals.mask & (
            torch.arange(proposals.mask.size(1)) == 0))
        assert model.detect(images, sizes, one).mask.sum() <= 3  # classes
    gt = pack_ground_truth([make_samples((3,))[0].gt_instances])
    assert set(model.losses(images, sizes, gt, proposals)) == {
        'loss_cls', 'loss_bbox', 'acc'}


def test_without_a_second_stage():
    model = MODELS.build(tiny_detector(roi_head=None)).eval()
    images, sizes = torch.randn(2, 3, 128, 160), torch.tensor([[128.0, 160.0]] * 2)
    with torch.no_grad():
        found = model.detect(images, sizes)
        logits, deltas = model(images)  # mode 'tensor'
    assert found.bboxes.shape == (2, 20, 4) and not found.labels.any()
    assert logits[0].shape == (2, 18, 8, 10) and deltas[0].shape == (2, 36, 8, 10)

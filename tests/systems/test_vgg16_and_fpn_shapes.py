"""The classic VGG16 pipeline and the FPN one: every shape and count."""

import pytest
import torch
from helpers import make_samples
from mmdet.models.task_modules import DeltaXYWHBBoxCoder
from mmengine.config import Config
from systems.system import build, from_scratch, record

from frcnn_plugin.mmdet_bridge.lists import image_sizes, pack_ground_truth
from frcnn_plugin.roi import ProposalTargetSampler
from frcnn_plugin.roi.detections import select_detections
from frcnn_plugin.roi.roi_pool_extractor import map_roi_levels
from frcnn_plugin.rpn import AnchorTargetSampler, ProposalCreator
from frcnn_plugin.structures import GroundTruth

NINE = [[-84, -40, 99, 55], [-176, -88, 191, 103], [-360, -184, 375, 199],
        [-56, -56, 71, 71], [-120, -120, 135, 135], [-248, -248, 263, 263],
        [-36, -80, 51, 95], [-80, -168, 95, 183], [-168, -344, 183, 359]]


@pytest.fixture(scope='module', params=[
    'frcnn_vgg16_voc',
    pytest.param('frcnn_vgg16_legacy_voc', marks=pytest.mark.long)])
def classic(repo, request):
    return build(from_scratch(repo, request.param))


def test_classic_anchors(classic):
    (base,) = classic.rpn_head.prior_generator.base_anchors
    assert base.tolist() == NINE
    classic.eval()
    with torch.no_grad():
        feats = classic(torch.rand(1, 3, 600, 800), mode='extractor')
        assert feats[0].shape == (1, 512, 38, 50)
        logits, _, anchors, _ = classic(
            (feats, torch.tensor([[600.0, 800.0]])), mode='rpn')
    assert len(anchors) == 17100
    assert logits.shape == (1, 17100, 2)  # a softmax over two
    probability = logits.softmax(-1).sum(-1)
    torch.testing.assert_close(probability, torch.ones_like(probability))


def test_classic_sample_of_256(classic):
    rpn = classic.rpn_head
    samples = make_samples((6,), 20, size=(600, 800))
    gt = pack_ground_truth([sample.gt_instances for sample in samples])
    sizes = image_sizes([sample.metainfo for sample in samples], 'cpu')
    (anchors,) = rpn.prior_generator.grid_priors([(38, 50)])
    labels, _ = rpn.target_sampler(anchors, gt, sizes, rpn.bbox_coder)
    positive = int((labels == 1).sum())
    assert 0 < positive <= 128 and int((labels == 0).sum()) == 256 - positive
    # anchors that leave the image take no part: the last pixel is inside below 800
    outside = (anchors[:, :2] < 0).any(1) | (anchors[:, 2] >= 800) | (
        anchors[:, 3] >= 600)
    assert (labels[0, outside] == -1).all()


def test_the_last_pixel_belongs_to_a_box_throughout(repo):
    """The +1 convention: a box of one pixel has a side of 1, and is coded so."""
    plain, legacy = (build(from_scratch(repo, f'frcnn_vgg16{name}_voc'))
                     for name in ('', '_legacy'))
    box, gt = torch.tensor([[10.0, 10, 25, 25]]), torch.tensor([[10.0, 10, 41, 41]])
    for head in ('rpn_head', 'roi_head.bbox_head'):
        new = plain.get_submodule(head).bbox_coder.encode(box, gt)
        old = legacy.get_submodule(head).bbox_coder.encode(box, gt)
        stds = torch.tensor(legacy.get_submodule(head).bbox_coder.stds)
        torch.testing.assert_close((old * stds)[0, 2], torch.tensor(32 / 16).log())
        torch.testing.assert_close((new * stds)[0, 2], torch.tensor(31 / 15).log())
    assert legacy.rpn_head.target_sampler.offset == 1
    assert legacy.rpn_head.proposal_creator.offset == 1
    assert legacy.roi_head.target_sampler.offset == 1
    legacy.eval()
    feats, sizes = (torch.randn(1, 512, 8, 10) * 30,), torch.tensor([[128.0, 160.0]])
    with torch.no_grad():
        proposals = legacy.rpn_head.propose(feats, sizes, training=False)
        detections = legacy.roi_head.detect(feats, proposals, sizes, dict(
            score_thr=0.0, nms=dict(iou_threshold=0.3, offset=1)))
    for found in (proposals, detections):
        limit = torch.tensor([159.0, 127, 159, 127])
        assert found.mask.any() and (found.bboxes <= limit).all()
        assert (found.bboxes[..., 2] == 159).any()


@pytest.mark.parametrize('offset', [0, 1])
def test_the_offset_reaches_overlaps_sizes_and_suppression(offset):
    """IoU 0.5 without the last pixel, 0.55 with it; a side of 9 or of 10."""
    boxes, sizes = torch.tensor([[0.0, 0, 9, 9], [0, 0, 9, 4.5]]), torch.tensor(
        [[100.0, 100]])
    truth = GroundTruth(boxes[None, 1:], torch.zeros(1, 1).long(),
                        torch.ones(1, 1).bool())
    anchors = AnchorTargetSampler(pos_iou_thr=0.52, neg_iou_thr=0.52, offset=offset,
                                  match_low_quality=False)
    regions = ProposalTargetSampler(pos_iou_thr=0.52, neg_iou_thr=(0.0, 0.52),
                                    offset=offset)
    assert anchors.match(boxes[:1], truth).labels.item() == offset
    assert regions.match(boxes[None, :1], truth).labels.item() == offset
    coder, scores = DeltaXYWHBBoxCoder(), torch.tensor([[0.9, 0.8]])
    creator = ProposalCreator(0.52, min_bbox_size=0, offset=offset)
    found = creator(scores, torch.zeros(1, 2, 4), boxes, sizes, coder)
    assert found.mask.sum() == 2 - offset
    creator = ProposalCreator(min_bbox_size=10, offset=offset)
    found = creator(scores[:, :1], torch.zeros(1, 1, 4), boxes[:1], sizes, coder)
    assert found.mask.sum() == offset
    found = select_detections(
        scores.unsqueeze(-1), boxes[None, :, None], torch.ones(1, 2).bool(), dict(
            score_thr=0.0, nms=dict(iou_threshold=0.52, offset=offset)))
    assert found.mask.sum() == 2 - offset


@pytest.fixture(scope='module')
def pyramid(repo):
    return build(from_scratch(repo, 'frcnn_r50_fpn_voc'))


@pytest.mark.long
def test_pyramid_of_five_levels(pyramid):
    pyramid.eval()
    pooled = record(pyramid.roi_head.bbox_roi_extractor)
    hidden = record(pyramid.roi_head.bbox_head.shared_fcs)
    with torch.no_grad():
        feats = pyramid(torch.rand(1, 3, 768, 1344), mode='extractor')
        assert [tuple(level.shape[1:]) for level in feats] == [
            (256, 192, 336), (256, 96, 168), (256, 48, 84), (256, 24, 42),
            (256, 12, 21)]
        logits, _, anchors, proposals = pyramid(
            (feats, torch.tensor([[768.0, 1344.0]])), mode='rpn')
        assert len(anchors) == 257796 and logits.shape == (1, 257796, 1)
        assert proposals.bboxes.shape == (1, 1000, 4)
        rois = torch.cat([torch.zeros(6, 1), proposals.bboxes[0, :6]], dim=1)
        pyramid((feats, rois), mode='head')
    assert pooled == [(6, 256, 7, 7)] and hidden == [(6, 1024)]
    assert len(pyramid.roi_head.bbox_head.shared_fcs) == 4  # two layers, two ReLUs


def test_pyramid_anchors_are_centred_and_rounded(pyramid):
    for size, base in zip((32, 64, 128, 256, 512),
                          pyramid.rpn_head.prior_generator.base_anchors, strict=True):
        assert torch.equal(base, base.round())
        assert torch.equal(base[:, :2], -base[:, 2:])
        assert base[1].tolist() == [-size / 2, -size / 2, size / 2, size / 2]


def test_pyramid_settings(pyramid, repo):
    rpn, roi = pyramid.rpn_head, pyramid.roi_head
    assert tuple(rpn.bbox_coder.stds) == (1.0, 1.0, 1.0, 1.0)
    assert [1 / std for std in roi.bbox_head.bbox_coder.stds] == pytest.approx(
        [10, 10, 5, 5])
    grown = rpn.bbox_coder.decode(torch.tensor([[0.0, 0, 10, 10]]),
                                  torch.tensor([[0.0, 0, 99, 0]]))
    assert float(grown[0, 2] - grown[0, 0]) == pytest.approx(10 * 1000 / 16)
    assert roi.bbox_head.loss_bbox.beta == pytest.approx(1 / 9)
    assert roi.bbox_roi_extractor.num_inputs == 4
    # k = floor(4 + log2(sqrt(w h) / 224)), counted from 2
    for side, level in ((20, 0), (111, 0), (112, 1), (223, 1), (224, 2), (448, 3),
                        (2000, 3)):
        boxes = torch.tensor([[0.0, 0, side, side]])
        assert map_roi_levels(boxes, 4, roi.bbox_roi_extractor.finest_scale) == level
    backbone = Config.fromfile(repo / 'configs/frcnn_r50_fpn_voc.py').model.backbone
    assert backbone.norm_eval and not backbone.norm_cfg.requires_grad
    assert 4 - backbone.frozen_stages == 3  # trainable stages of five


def test_box_loss_of_the_pyramid_is_over_all_sampled_regions(pyramid):
    head = pyramid.roi_head.bbox_head
    labels = torch.tensor([3, 20, 20, 20])
    deltas = torch.zeros(4, 80)
    deltas[0, 12:16] = 1.0
    losses = head.losses(torch.zeros(4, 21), deltas, labels, torch.zeros(4, 4),
                         torch.ones(4, dtype=torch.bool))
    assert losses['loss_bbox'].item() == pytest.approx(4 * (1 - 0.5 / 9) / 4)

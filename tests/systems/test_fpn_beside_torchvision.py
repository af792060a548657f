"""The FPN detector beside torchvision's, stage by stage, with the same weights."""

import pytest
import torch
from helpers import make_samples
from systems.system import build, from_scratch
from torchvision.models.detection import fasterrcnn_resnet50_fpn
from torchvision.models.detection.image_list import ImageList

from frcnn_plugin.interop import recognise
from frcnn_plugin.interop.layouts import drop_background_deltas
from frcnn_plugin.mmdet_bridge.lists import image_sizes, pack_ground_truth
from frcnn_plugin.structures import bbox2roi

SIZE = (256, 320)
EVERYTHING = 10**6  # samples: sampling switched off
PROPOSALS = 320  # of an image, at most: the head works for each one


@pytest.fixture(scope='module')
def peer():
    torch.manual_seed(0)
    model = fasterrcnn_resnet50_fpn(
        weights=None, weights_backbone=None, num_classes=21,
        rpn_batch_size_per_image=EVERYTHING, box_batch_size_per_image=EVERYTHING,
        rpn_post_nms_top_n_train=PROPOSALS, rpn_post_nms_top_n_test=PROPOSALS,
        box_detections_per_img=100)
    model.eval()
    # random weights make scores that are all alike, or boxes beyond all bounds: bring
    # what the RPN says to the spread that a trained one has
    with torch.no_grad():
        logits, deltas = model.rpn.head(
            list(model.backbone(torch.randn(1, 3, *SIZE)).values()))
        for layer, outputs, spread in ((model.rpn.head.cls_logits, logits, 2.0),
                                       (model.rpn.head.bbox_pred, deltas, 0.3)):
            std = torch.cat([level.flatten() for level in outputs]).std()
            layer.weight *= spread / std
    return model


@pytest.fixture(scope='module')
def ours(repo, peer):
    cfg = from_scratch(repo, 'frcnn_r50_fpn_voc')
    cfg.model.rpn_head.target_sampler.num = -1
    cfg.model.roi_head.target_sampler.num = -1
    creator = cfg.model.rpn_head.proposal_creator
    creator.train.max_per_img = creator.test.max_per_img = PROPOSALS
    model = build(cfg)
    model.load_state_dict(weights_of(peer))
    return model.eval()


def weights_of(peer) -> dict[str, torch.Tensor]:
    """torchvision's weights under our names, less the background's deltas."""
    (kind,) = recognise(peer.state_dict())
    return drop_background_deltas(kind.to_ours(peer.state_dict()))


@pytest.fixture
def batch():
    torch.manual_seed(1)
    samples = make_samples((3, 6), 20, size=SIZE)
    targets = [dict(boxes=sample.gt_instances.bboxes,
                    labels=sample.gt_instances.labels + 1) for sample in samples]
    return torch.randn(2, 3, *SIZE), samples, targets


def features(peer, images):
    with torch.no_grad():
        return peer.backbone(images)


def test_feature_maps(ours, peer, batch):
    images, _, _ = batch
    with torch.no_grad():
        maps = ours(images, mode='extractor')
    for found, expected in zip(maps, features(peer, images).values(), strict=True):
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_proposals_in_test_and_in_training(ours, peer, batch):
    images, _, targets = batch
    feats, sizes = features(peer, images), torch.tensor([SIZE] * 2)
    for training in (False, True):
        peer.rpn.train(training)
        with torch.no_grad():
            expected, _ = peer.rpn(ImageList(images, [SIZE] * 2), feats, targets)
            found = ours.rpn_head.propose(tuple(feats.values()), sizes, training)
        peer.rpn.eval()
        for image in range(2):
            mine = found.bboxes[image][found.mask[image]]
            assert len(mine) == len(expected[image]) > 300
            # in pairs, since scores that are equal to the last bit have no order
            distances = torch.cdist(mine, expected[image], p=torch.inf)
            assert distances.amin(0).max() < 1e-3  # pixels
            assert distances.amin(1).max() < 1e-3


def test_head_outputs_on_the_same_proposals(ours, peer, batch):
    images, _, _ = batch
    feats = features(peer, images)
    with torch.no_grad():
        proposals, _ = peer.rpn(ImageList(images, [SIZE] * 2), feats)
        proposals = [boxes[:100] for boxes in proposals]
        pooled = peer.roi_heads.box_roi_pool(feats, proposals, [SIZE] * 2)
        logits, deltas = peer.roi_heads.box_predictor(peer.roi_heads.box_head(pooled))
        rois = bbox2roi(torch.stack(proposals))
        cls_score, bbox_pred = ours((tuple(feats.values()), rois), mode='head')
    torch.testing.assert_close(cls_score, logits.roll(-1, 1), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(bbox_pred, deltas[:, 4:], atol=1e-4, rtol=1e-4)


def test_targets_and_losses(ours, peer, batch):
    images, samples, targets = batch
    feats = features(peer, images)
    peer.rpn.train()
    peer.roi_heads.train()
    proposals, expected = peer.rpn(ImageList(images, [SIZE] * 2), feats, targets)
    _, head_losses = peer.roi_heads(feats, proposals, [SIZE] * 2, targets)
    peer.eval()
    expected.update(head_losses)

    gt = pack_ground_truth([sample.gt_instances for sample in samples])
    sizes = image_sizes([sample.metainfo for sample in samples], 'cpu')
    maps = tuple(feats.values())
    ours.train()
    found, losses = ours.rpn_head.run(maps, sizes, training=True, gt=gt)
    losses.update(ours.roi_head.losses(maps, found, gt))
    ours.eval()
    for mine, theirs in (('loss_rpn_cls', 'loss_objectness'),
                         ('loss_rpn_bbox', 'loss_rpn_box_reg'),
                         ('loss_cls', 'loss_classifier'),
                         ('loss_bbox', 'loss_box_reg')):
        torch.testing.assert_close(losses[mine], expected[theirs], atol=0, rtol=1e-5)

    labels, matched = peer.rpn.assign_targets_to_anchors(
        peer.rpn.anchor_generator(ImageList(images, [SIZE] * 2), list(maps)), targets)
    outputs = ours.rpn_head.gather_outputs(*ours.rpn_head(maps))
    assigned = ours.rpn_head.target_sampler(
        outputs.anchors, gt, sizes, ours.rpn_head.bbox_coder)
    for image in range(2):
        assert torch.equal(assigned.labels[image].float(), labels[image])
        deltas = peer.rpn.box_coder.encode_single(matched[image], outputs.anchors)
        positive = labels[image] == 1
        torch.testing.assert_close(assigned.deltas[image][positive], deltas[positive],
                                   atol=1e-4, rtol=1e-4)

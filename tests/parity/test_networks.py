"""Ours beside mmdet and torchvision: the same weights, the same images, every stage."""

import pytest
import torch
from helpers import make_samples
from peers.matching import detection_partners, partners
from peers.networks import (
    NUM_CLASSES,
    PEERS,
    SIZE,
    converted,
    ground_truth,
    settle,
)

from frcnn_plugin.interop import recognise
from frcnn_plugin.ops import decode, encode
from frcnn_plugin.structures import bbox2roi

PROPOSALS = 8, 16  # of each image in training and in test: C5 works for each one


@pytest.fixture(scope='module', params=[
    pytest.param(name, marks=[pytest.mark.long] * (
        'caffe' in name or name in ('mmdet R50-FPN', 'torchvision R50-FPN')))
    for name in PEERS])
def pair(request):
    """A peer with random weights, and ours with the same."""
    torch.manual_seed(0)
    peer = PEERS[request.param](limits=PROPOSALS)
    settle(peer)
    peer.net.eval()
    return peer, converted(peer, 'caffe' if 'caffe' in request.param else 'pytorch')


@pytest.fixture(scope='module')
def batch():
    torch.manual_seed(1)
    return torch.randn(2, 3, *SIZE), make_samples((3, 6), NUM_CLASSES, size=SIZE)


@pytest.fixture(scope='module')
def feats(pair, batch):
    with torch.no_grad():
        return pair[0].features(batch[0])


def test_feature_maps(pair, batch, feats, compare):
    with torch.no_grad():
        found = pair[1](batch[0], mode='extractor')
    for level, (mine, theirs) in enumerate(zip(found, feats, strict=True)):
        compare(f'feature map {level}', mine, theirs, rtol=1e-5)


def test_anchors(pair, feats, compare):
    peer, ours = pair
    outputs = ours.rpn_head.gather_outputs(*ours.rpn_head(feats))
    compare('anchors', outputs.anchors, peer.anchors(feats), atol=0)


def test_box_coding(pair, feats, compare):
    peer, ours = pair
    coder = ours.roi_head.bbox_head.bbox_coder
    bboxes = peer.anchors(feats)[::7]
    shift = torch.rand_like(bboxes) * 8
    theirs = peer.encode(bboxes, bboxes + shift)
    compare('encoded deltas', encode(coder, bboxes, bboxes + shift), theirs, atol=1e-4)
    compare('decoded boxes', decode(coder, bboxes, theirs),
            peer.decode(bboxes, theirs).view_as(bboxes), atol=1e-2)


def test_assignment(pair, batch, feats, compare):
    peer, ours = pair
    gt, sizes = ground_truth(batch[1])
    head = ours.rpn_head
    outputs = head.gather_outputs(*head(feats))
    labels, _ = head.target_sampler(outputs.anchors, gt, sizes, head.bbox_coder)
    theirs = peer.anchor_labels(feats, batch[1])
    assert (theirs == 1).sum() > 9 and (theirs == -1).any()
    compare('labels of anchors', labels, theirs, atol=0)

    for index, sample in enumerate(batch[1]):
        bboxes = torch.cat([outputs.anchors[::5], sample.gt_instances.bboxes])
        bboxes = bboxes + 4 * torch.rand_like(bboxes)
        one = type(gt)(*(field[index:index + 1] for field in gt))
        matches = ours.roi_head.target_sampler.match(bboxes.unsqueeze(0), one)
        mine = torch.where(matches.labels == 1,
                           one.labels.gather(1, matches.gt_indices), NUM_CLASSES)[0]
        theirs = peer.region_labels(bboxes, sample)
        assert (theirs < NUM_CLASSES).any()
        compare(f'labels of regions {index}', mine, theirs, atol=0)


@pytest.mark.parametrize('training', [False, True])
def test_proposals(pair, batch, feats, compare, training):
    peer, ours = pair
    _, sizes = ground_truth(batch[1])
    with torch.no_grad():
        theirs = peer.proposals(feats, batch[1], training)
        found = ours.rpn_head.propose(tuple(feats), sizes, training)
    for image in range(2):
        mine = found.bboxes[image][found.mask[image]]
        assert len(mine) == PROPOSALS[0 if training else 1]
        compare(f'proposals in {"training" if training else "test"} {image}, pixels',
                *partners(mine, theirs[image]), atol=1e-3)


def test_pooled_features_and_head(pair, batch, feats, compare):
    peer, ours = pair
    with torch.no_grad():
        proposals = torch.stack([each[:10] for each in peer.proposals(
            feats, batch[1], training=False)])
        rois = bbox2roi(proposals)
        theirs = peer.pooled(feats, rois)
        extractor = ours.roi_head.bbox_roi_extractor
        compare('pooled features', extractor(feats[:extractor.num_inputs], rois),
                theirs, rtol=1e-5)
        logits, deltas = peer.heads(theirs)
        mine = ours((tuple(feats), rois), mode='head')
    compare('class logits', mine[0], logits, atol=1e-4)
    compare('box deltas', mine[1], deltas, atol=1e-4)


def test_losses_and_gradients(pair, batch, compare):
    peer, ours = pair
    images, samples = batch
    theirs = peer.losses(images, samples)
    sum(theirs.values()).backward()
    ours.train()
    mine = ours.loss(images, samples)
    sum(value for name, value in mine.items() if 'loss' in name).backward()
    ours.eval()
    assert len(theirs) == 4
    for name, value in theirs.items():
        compare(name, mine[name].detach(), value.detach(), rtol=1e-5)

    state = peer.net.state_dict()
    gradients = {name: parameter.grad for name, parameter in
                 peer.net.named_parameters()}
    assert None not in gradients.values()
    (kind,) = recognise(state)
    expected = kind.to_ours({**state, **gradients})  # linear, so gradients go along
    worst = 0.0
    for name, parameter in ours.named_parameters():
        largest = expected[name].abs().max()
        difference = (parameter.grad - expected[name]).abs().max() / largest
        assert difference <= 1e-4 or largest < 1e-12, (name, difference)
        worst = max(worst, difference.item())
        parameter.grad = None
    peer.net.zero_grad()
    compare(f'gradients of {len(gradients)} parameters', worst, 0.0, atol=1e-4)


def test_detections(pair, batch, compare):
    peer, ours = pair
    images, samples = batch
    with torch.no_grad():
        theirs = peer.detections(images, samples)
        found = ours.predict(images, samples, rescale=False)
    for index, (mine, expected) in enumerate(zip(found, theirs, strict=True)):
        assert len(expected.labels.unique()) > 1
        boxes, scores = detection_partners(mine.pred_instances, expected)
        compare(f'boxes of detections {index}, pixels', *boxes, atol=1e-2)
        compare(f'scores of detections {index}', *scores, atol=1e-4)

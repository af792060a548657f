"""ResNet-50-C4 with a fully connected head: an image of 800x800, shape by shape."""

import pytest
import torch
from helpers import make_samples
from systems.system import build, from_scratch, record

from frcnn_plugin.structures import bbox2roi


@pytest.fixture(scope='module')
def model(repo):
    return build(from_scratch(repo, 'frcnn_r50_c4_fc_voc'))


def test_every_shape_of_the_table(model):
    model.eval()
    pooled = record(model.roi_head.bbox_roi_extractor)
    flattened, hidden = [], record(model.roi_head.bbox_head.shared_fcs)
    model.roi_head.bbox_head.shared_fcs.register_forward_pre_hook(
        lambda m, args: flattened.append(tuple(args[0].shape)))
    with torch.no_grad():
        images = torch.rand(1, 3, 800, 800)
        (feature,) = model(images, mode='extractor')
        assert feature.shape == (1, 1024, 50, 50)
        rpn_scores, rpn_locs, anchors, proposals = model(
            ((feature,), torch.tensor([[800.0, 800.0]])), mode='rpn')
        assert len(anchors) == 50 * 50 * 9 == 22500
        assert rpn_locs.shape == (1, 22500, 4)
        assert rpn_scores.shape == (1, 22500, 2)  # background, foreground
        assert proposals.bboxes.shape == (1, 300, 4)
        rois = bbox2roi(proposals.bboxes)
        assert rois.shape == (300, 5) and (rois[:, 0] == 0).all()
        cls_score, bbox_pred = model(((feature,), rois), mode='head')
    assert pooled == [(300, 1024, 7, 7)]
    assert flattened == [(300, 50176)] and hidden == [(300, 4096)]
    assert cls_score.shape == (300, 21)
    assert bbox_pred.shape == (300, 84)


def test_four_losses_from_two_target_makers(model):
    model.train()
    regions = record(model.roi_head.bbox_head.fc_cls)
    samples = make_samples((3,), 20, size=(320, 320))
    losses = model(torch.rand(1, 3, 320, 320), samples, 'loss')
    assert {name for name in losses if 'loss' in name} == {
        'loss_rpn_cls', 'loss_rpn_bbox', 'loss_cls', 'loss_bbox'}
    assert regions == [(128, 21)]  # ProposalTargetCreator's 128
    assert type(model.rpn_head.loss_cls).__name__ == 'CrossEntropyLoss'
    assert type(model.rpn_head.loss_bbox).__name__ == 'SmoothL1Loss'
    assert type(model.roi_head.bbox_head.loss_bbox).__name__ == 'SmoothL1Loss'

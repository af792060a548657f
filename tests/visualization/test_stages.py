"""The stages that are shown are those that run."""

import pytest
import torch
from helpers import random_boxes, tiny_detector

from frcnn_plugin.registry import MODELS
from frcnn_plugin.structures import GroundTruth
from frcnn_plugin.visualization.stages import run_stages, watch

IMAGE = torch.randn(1, 3, 128, 160, generator=torch.Generator().manual_seed(0))
SIZE = (88, 104)


@pytest.fixture
def detector():
    """Anchors of 32 pixels in the middle of each cell: some end on the border."""
    cfg = tiny_detector()
    cfg.rpn_head.anchor_generator.update(
        ratios=[1.0], scales=[2], center_offset=0.5)
    cfg.rpn_head.target_sampler.update(num=-1, allowed_border=0)
    return MODELS.build(cfg).eval()


def ground_truth(num: int) -> GroundTruth:
    return GroundTruth(random_boxes(num, SIZE[1], SIZE[0])[None],
                       torch.zeros(1, num).long(), torch.ones(1, num).bool())


def test_anchors_are_inside_where_training_says_so(detector):
    stages = run_stages(detector, IMAGE, SIZE, ground_truth(3))
    inside = stages['anchors'].tensors['inside']
    labels = stages['anchor_targets'].tensors['labels'][0]
    anchors = stages['anchors'].tensors['anchors']
    assert (anchors[:, 3] == SIZE[0]).any()  # they are outside to the paper's code
    assert not inside[(anchors[:, 3] == SIZE[0]) | (anchors[:, 2] == SIZE[1])].any()
    assert (labels[~inside] == -1).all() and (labels[inside] >= 0).any()


def test_the_padding_takes_no_part(detector):
    """Where anchors may leave the image, those that begin on its padding are out."""
    detector.rpn_head.target_sampler.allowed_border = -1
    labels = run_stages(detector, IMAGE, SIZE, ground_truth(3))[
        'anchor_targets'].tensors['labels'][0].view(8, 10)
    assert (labels[:6, :7] >= 0).any() and (labels[6:] == -1).all()
    assert (labels[:, 7:] == -1).all()


def test_what_is_shown_is_what_the_detector_returns(detector):
    stages = run_stages(detector, IMAGE, SIZE)
    with torch.no_grad():
        found = detector.detect(IMAGE, torch.tensor([SIZE]).float())
    for name, value in found._asdict().items():
        assert torch.equal(stages['detections'].tensors[name], value), name
    real = stages['proposals'].tensors['mask'].sum()
    for name in ('rois', 'pooled'):
        assert len(stages['pooled'].tensors[name]) == real


def test_watching_leaves_no_trace(detector):
    before = dict(detector.__dict__)
    with pytest.raises(RuntimeError), watch(detector, 'detect', 'extract_feat'):
        raise RuntimeError
    assert detector.__dict__ == before

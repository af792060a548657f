"""The CPU's suppression against the plain one."""

import pytest
import torch
from helpers import random_boxes

from frcnn_plugin.accelerate.suppression import greedy_nms
from frcnn_plugin.ops import masked_nms


@pytest.fixture(autouse=True)
def several_blocks(monkeypatch):
    monkeypatch.setattr('frcnn_plugin.accelerate.suppression.BLOCK', 64)


@pytest.fixture
def crowd():
    """Two images of 700 boxes in three groups, a third of them masked out."""
    bboxes = random_boxes(1400).view(2, 700, 4)
    return (bboxes, torch.rand(2, 700), torch.rand(2, 700) > 0.33,
            torch.randint(3, (2, 700)))


@pytest.mark.parametrize('grouped', [True, False])
def test_equals_the_plain_one(crowd, grouped):
    bboxes, scores, mask, groups = crowd
    groups = groups if grouped else None
    plain = masked_nms(bboxes, scores, mask, 0.3, groups)
    assert torch.equal(greedy_nms(bboxes, scores, mask, 0.3, groups), plain)
    assert 0 < int(plain.sum()) < int(mask.sum())


@pytest.mark.parametrize('num', [1, 7, 30, 1000])
def test_the_best_are_found_without_looking_at_all(crowd, num):
    bboxes, scores, mask, groups = crowd
    stay = masked_nms(bboxes, scores, mask, 0.3, groups)
    some = greedy_nms(bboxes, scores, mask, 0.3, groups, num=num)
    for image in range(2):
        best = scores[image].masked_fill(~stay[image], -1).topk(
            min(num, int(stay[image].sum()))).indices
        assert some[image, best].all()
        assert not (some[image] & ~stay[image]).any()


def test_it_is_a_well_formed_operator(crowd):
    bboxes, scores, mask, groups = crowd
    torch.library.opcheck(torch.ops.frcnn_plugin.greedy_nms,
                          (bboxes, scores, mask, groups, 0.3, 10))


def test_nothing_stays_where_nothing_is():
    mask = torch.zeros(2, 5, dtype=torch.bool)
    assert not greedy_nms(torch.rand(2, 5, 4), torch.rand(2, 5), mask, 0.5).any()


def test_offset_counts_the_last_pixel():
    boxes = torch.tensor([[[0.0, 0, 9, 9], [0, 0, 9, 4.5]]])
    scores, mask = torch.tensor([[0.9, 0.8]]), torch.ones(1, 2, dtype=torch.bool)
    assert greedy_nms(boxes, scores, mask, 0.52).tolist() == [[True, True]]
    assert greedy_nms(boxes, scores, mask, 0.52, offset=1).tolist() == [[True, False]]


def test_an_overlap_of_just_the_threshold():
    """3 / 10 is above 0.3 in float32, and not in float64."""
    boxes = torch.tensor([[[0.0, 0, 10, 1], [0, 0, 3, 1]]])
    scores, mask = torch.tensor([[0.9, 0.8]]), torch.ones(1, 2, dtype=torch.bool)
    assert greedy_nms(boxes, scores, mask, 0.3).all()
    assert masked_nms(boxes, scores, mask, 0.3).all()

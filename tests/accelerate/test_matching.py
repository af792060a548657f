"""Boxes compared in blocks against all pairs at once."""

import pytest
import torch
from helpers import random_boxes

from frcnn_plugin.accelerate import matching
from frcnn_plugin.ops.matching import compare


@pytest.mark.parametrize('min_best_iou', [None, 0.0, 0.3])
@pytest.mark.parametrize('offset', [0, 1])
def test_equals_the_plain_comparison(monkeypatch, min_best_iou, offset):
    monkeypatch.setitem(matching.PAIRS, 'cpu', 2 * 7 * 13)  # blocks of 13 boxes
    bboxes = random_boxes(200).view(2, 100, 4).round()
    gt_bboxes = torch.cat([bboxes[:, 5:11], bboxes[:, 5:6]], dim=1)  # ties
    plain = compare(bboxes, gt_bboxes, offset, min_best_iou)
    blocks = matching.compare_in_blocks(bboxes, gt_bboxes, offset, min_best_iou)
    assert torch.equal(blocks.max_iou, plain.max_iou)
    assert torch.equal(blocks.gt_indices, plain.gt_indices)
    if min_best_iou is None:
        assert blocks.best_of is None is plain.best_of
    else:
        assert torch.equal(blocks.best_of, plain.best_of) and plain.best_of.any()

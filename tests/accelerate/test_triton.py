"""The kernels for a GPU, by Triton's interpreter, against torchvision's.

Triton decides when it is imported whether it interprets, so that the tests run in a
process of their own.
"""

import os
import subprocess
import sys

import pytest
import torch
from helpers import random_boxes
from torchvision.ops import roi_align

from frcnn_plugin.ops import masked_nms

pytest.importorskip('triton')
pytestmark = pytest.mark.filterwarnings('ignore:invalid value:RuntimeWarning')
VARIABLE = 'TRITON_INTERPRET'


@pytest.mark.long
@pytest.mark.skipif(VARIABLE in os.environ, reason='this is the process of its own')
def test_by_the_interpreter():
    done = subprocess.run(
        [sys.executable, '-m', 'pytest', '-p', 'no:cacheprovider', __file__],
        env={**os.environ, VARIABLE: '1'}, capture_output=True, text=True)
    assert done.returncode == 0 and '5 passed, 1 skipped' in done.stdout, done.stdout


@pytest.fixture
def operators():
    """Those that the modules register."""
    if VARIABLE not in os.environ:
        pytest.skip('test_by_the_interpreter runs it')
    from frcnn_plugin.accelerate import triton_roi_align, triton_suppression
    assert triton_roi_align and triton_suppression
    return torch.ops.frcnn_plugin


@pytest.mark.parametrize('grouped', [True, False])
def test_the_same_boxes_stay(operators, grouped):
    bboxes, scores = random_boxes(260).view(2, 130, 4), torch.rand(2, 130)
    scores[:, ::7] = 0.5  # of equals the first
    mask = torch.rand(2, 130) > 0.33
    groups = torch.randint(3, (2, 130)) if grouped else None
    plain = masked_nms(bboxes, scores, mask, 0.3, groups)
    every = operators.triton_nms(bboxes, scores, mask, groups, 0.3, -1)
    assert torch.equal(every, plain) and 0 < plain.sum() < mask.sum()
    some = operators.triton_nms(bboxes, scores, mask, groups, 0.3, 7)
    assert (some.sum(1) == 7).all() and not (some & ~plain).any()


def test_images_in_several_calls(operators, monkeypatch):
    monkeypatch.setattr('frcnn_plugin.accelerate.triton_suppression.WORDS', 1)
    bboxes, scores = random_boxes(120).view(3, 40, 4), torch.rand(3, 40)
    mask = torch.ones_like(scores, dtype=torch.bool)
    assert torch.equal(operators.triton_nms(bboxes, scores, mask, None, 0.3, -1),
                       masked_nms(bboxes, scores, mask, 0.3))


@pytest.mark.parametrize(('aligned', 'sampling_ratio'), [(True, 0), (False, 2)])
def test_the_same_cells_and_gradients(operators, monkeypatch, aligned, sampling_ratio):
    # of 6: two programs a cell
    monkeypatch.setattr('frcnn_plugin.accelerate.triton_roi_align.CHANNELS', 4)
    low, high = torch.rand(2, 5, 2) * torch.tensor([312.0, 248.0]) - 20
    rois = torch.cat(
        [torch.randint(2, (5, 1)), low.minimum(high), low.maximum(high)], dim=1)
    rois[:3, 1:] = torch.tensor(  # all of the map; a point; inside out
        [[0.0, 0, 272, 208], [50, 50, 50, 50], [90, 80, 20, 10]])
    mine, theirs = (torch.randn(
        2, 6, 13, 17, generator=torch.Generator().manual_seed(0)).requires_grad_()
        for _ in range(2))
    found = operators.roi_align(mine, rois, 2, 3, 1 / 16, sampling_ratio, aligned)
    expected = roi_align(theirs, rois, (2, 3), 1 / 16, sampling_ratio, aligned)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    gradient = torch.randn_like(expected)
    found.backward(gradient)
    expected.backward(gradient)
    torch.testing.assert_close(mine.grad, theirs.grad, atol=1e-5, rtol=1e-5)

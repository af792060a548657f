"""The kernels for a GPU, by Triton's interpreter, against torchvision's.

Triton decides when it is imported whether it interprets, so that the tests run in a
process of their own.
"""

import importlib
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


@pytest.mark.skipif(VARIABLE in os.environ, reason='this is the process of its own')
def test_by_the_interpreter():
    done = subprocess.run(
        [sys.executable, '-m', 'pytest', '-p', 'no:cacheprovider', __file__],
        env={**os.environ, VARIABLE: '1'}, capture_output=True, text=True)
    assert done.returncode == 0 and '6 passed, 1 skipped' in done.stdout, done.stdout


@pytest.fixture(scope='module')
def kernels():
    """Both modules."""
    if VARIABLE not in os.environ:
        pytest.skip('test_by_the_interpreter runs it')
    return [importlib.import_module(f'frcnn_plugin.accelerate.triton_{name}')
            for name in ('suppression', 'roi_align')]


@pytest.mark.parametrize('grouped', [True, False])
def test_the_same_boxes_stay(kernels, grouped):
    bboxes, scores = random_boxes(260).view(2, 130, 4), torch.rand(2, 130)
    scores[:, ::7] = 0.5  # of equals the first
    mask = torch.rand(2, 130) > 0.33
    groups = torch.randint(3, (2, 130)) if grouped else None
    plain = masked_nms(bboxes, scores, mask, 0.3, groups)
    every = kernels[0].suppress(bboxes, scores, mask, groups, 0.3, -1)
    assert torch.equal(every, plain) and 0 < plain.sum() < mask.sum()
    some = kernels[0].suppress(bboxes, scores, mask, groups, 0.3, 7)
    assert (some.sum(1) == 7).all() and not (some & ~plain).any()


def test_images_in_several_calls(kernels, monkeypatch):
    monkeypatch.setattr(kernels[0], 'WORDS', 1)
    bboxes, scores = random_boxes(120).view(3, 40, 4), torch.rand(3, 40)
    mask = torch.ones_like(scores, dtype=torch.bool)
    assert torch.equal(kernels[0].suppress(bboxes, scores, mask, None, 0.3, -1),
                       masked_nms(bboxes, scores, mask, 0.3))


@pytest.mark.parametrize(('aligned', 'sampling_ratio'), [(True, 0), (False, 2)])
def test_the_same_cells_and_gradients(kernels, monkeypatch, aligned, sampling_ratio):
    monkeypatch.setattr(kernels[1], 'CHANNELS', 4)  # of 6: two programs a cell
    low, high = torch.rand(2, 5, 2) * torch.tensor([312.0, 248.0]) - 20
    rois = torch.cat(
        [torch.randint(2, (5, 1)), low.minimum(high), low.maximum(high)], dim=1)
    rois[:3, 1:] = torch.tensor(  # all of the map; a point; inside out
        [[0.0, 0, 272, 208], [50, 50, 50, 50], [90, 80, 20, 10]])
    layer = dict(type='RoIAlign', output_size=(2, 3), aligned=aligned,
                 sampling_ratio=sampling_ratio)
    module = kernels[1].TritonRoIAlign(layer, out_channels=6, featmap_strides=[16])
    mine, theirs = (torch.randn(
        2, 6, 13, 17, generator=torch.Generator().manual_seed(0)).requires_grad_()
        for _ in range(2))
    found = module([mine], rois)
    expected = roi_align(theirs, rois, (2, 3), 1 / 16, sampling_ratio, aligned)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    gradient = torch.randn_like(expected)
    found.backward(gradient)
    expected.backward(gradient)
    torch.testing.assert_close(mine.grad, theirs.grad, atol=1e-5, rtol=1e-5)


def test_a_deterministic_run_takes_torchvisions_kernel(kernels, monkeypatch):
    layer = dict(type='RoIAlign', output_size=2)
    module = kernels[1].TritonRoIAlign(layer, out_channels=4, featmap_strides=[16])
    monkeypatch.setattr(torch, 'are_deterministic_algorithms_enabled', lambda: True)
    monkeypatch.setattr(kernels[1], 'launch', None)  # would fail
    feature = torch.randn(1, 4, 5, 5).requires_grad_()
    assert module([feature], torch.tensor([[0.0, 0, 0, 40, 40]])).shape == (1, 4, 2, 2)

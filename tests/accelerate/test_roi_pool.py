"""RoIPool by windows, beside torchvision's kernel."""

import pytest
import torch
from helpers import rois_with
from torchvision.ops import roi_pool

from frcnn_plugin.accelerate.parts import with_class
from frcnn_plugin.accelerate.roi_pool import PixelRoIPool, find_bins, roi_pool_bins
from frcnn_plugin.roi import RoIPoolExtractor

SIZE = (38, 50)


def random_rois(num: int) -> torch.Tensor:
    """(num, 5) regions, those too that a kernel may take for something else."""
    return rois_with(num, [
        [8, 24, 88, 104],  # halves, which are rounded up
        [-40, -24, 60, 90], [900, 500, 990, 690],  # beside the map
        [300, 200, 250, 150]])  # ends before it begins


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
@pytest.mark.parametrize('ties', [False, True])
@pytest.mark.parametrize('output_size', [(14, 14), (7, 5), (3, 2)])
def test_equals_torchvision(output_size, ties, dtype):
    torch.manual_seed(0)
    feature, rois = torch.randn(2, 8, *SIZE), random_rois(60)
    if ties:
        feature = feature.round()
    feature = feature.to(dtype)
    theirs = feature.float().clone().requires_grad_()
    mine = feature.to(memory_format=torch.channels_last).requires_grad_()
    expected = roi_pool(theirs, rois, output_size, 1 / 16)
    bins = find_bins(rois, mine.shape, output_size, 1 / 16)
    assert (bins.first != bins.second).any() == (output_size != (14, 14))
    found = roi_pool_bins(mine, bins)
    assert found.dtype == dtype
    assert found.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(found.float(), expected)
    gradient = torch.randint(-8, 8, expected.shape).float()  # its sums are exact
    expected.backward(gradient)
    found.backward(gradient.to(dtype))
    assert torch.equal(mine.grad, theirs.grad.to(dtype))


def test_no_regions():
    bins = find_bins(torch.zeros(0, 5), (1, 8, *SIZE), (7, 7), 1 / 16)
    assert roi_pool_bins(torch.randn(1, 8, *SIZE), bins).shape == (0, 8, 7, 7)


@pytest.mark.parametrize(('num', 'channels', 'train', 'by_windows'), [
    (100, 64, True, True), (100, 8, False, False),
    (30, 64, False, True), (30, 64, True, False), (3, 64, False, False)])
def test_where_it_is_faster(monkeypatch, num, channels, train, by_windows):
    plain = RoIPoolExtractor(dict(type='RoIPool', output_size=14), channels, [16])
    fast = with_class(plain, PixelRoIPool)
    feature = torch.randn(1, channels, *SIZE, requires_grad=train)
    corners = torch.rand(num, 2) * 300
    rois = torch.cat([torch.zeros(num, 1), corners, corners + 250], dim=1)
    expected = plain([feature], rois)
    calls = []
    monkeypatch.setattr(
        'frcnn_plugin.accelerate.roi_pool.roi_pool_bins',
        lambda *args: calls.append(args) or roi_pool_bins(*args))
    assert torch.equal(fast([feature], rois), expected)
    assert bool(calls) == by_windows

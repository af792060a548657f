"""RoIAlign by sums of pixels, beside torchvision's kernel."""

import pytest
import torch
import torch.nn.functional as F
from helpers import rois_with
from torchvision.ops import roi_align

from frcnn_plugin.accelerate.parts import with_class
from frcnn_plugin.accelerate.roi_align import PixelRoIAlign, roi_align_cells
from frcnn_plugin.roi import RoIPoolExtractor

SIZE = (38, 50)


def random_rois(num: int) -> torch.Tensor:
    """(num, 5) regions, those too that a kernel may take for something else."""
    return rois_with(num, [
        [0, 0, 0, 0], [100, 100, 100.5, 100.5], [-40, -30, 60, 90],
        [700, 500, 890, 690], [300, 200, 250, 150]])  # ends before it begins


@pytest.mark.parametrize('aligned', [True, False])
@pytest.mark.parametrize('sampling_ratio', [0, 1, 2])
@pytest.mark.parametrize(('output_size', 'step'), [((14, 14), 1), ((14, 14), 2),
                                                   ((7, 5), 1), ((7, 7), 3)])
def test_equals_torchvision(output_size, step, sampling_ratio, aligned):
    torch.manual_seed(0)
    theirs = torch.randn(2, 8, *SIZE, requires_grad=True)
    mine = theirs.detach().clone(memory_format=torch.channels_last).requires_grad_()
    rois = random_rois(60)
    expected = roi_align(theirs, rois, output_size, 1 / 16, sampling_ratio, aligned)
    expected = expected[:, :, ::step, ::step]
    levels = torch.zeros(len(rois), dtype=torch.long)
    found = roi_align_cells([mine], rois, levels, output_size, [1 / 16],
                            sampling_ratio, aligned, step)
    torch.testing.assert_close(found, expected, rtol=0, atol=5e-5)
    gradient = torch.randn_like(expected)
    expected.backward(gradient)
    found.backward(gradient)
    torch.testing.assert_close(mine.grad, theirs.grad, rtol=0, atol=5e-4)


@pytest.mark.parametrize('sampling_ratio', [0, 2])
def test_levels(sampling_ratio):
    torch.manual_seed(0)
    strides = [4, 8, 16]
    theirs = [torch.randn(2, 8, 608 // stride, 800 // stride, requires_grad=True)
              for stride in strides]
    mine = [level.detach().clone().requires_grad_() for level in theirs]
    rois, levels = random_rois(80), torch.randint(3, (80,))
    rois[6, 1:] = torch.tensor([3, 100, 790, 104])  # long and thin
    expected = torch.zeros(80, 8, 7, 7)
    for index, stride in enumerate(strides):
        here = levels == index
        expected[here] = roi_align(theirs[index], rois[here], 7, 1 / stride,
                                   sampling_ratio, True)
    found = roi_align_cells(mine, rois, levels, (7, 7), [1 / s for s in strides],
                            sampling_ratio)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)
    gradient = torch.randn_like(expected)
    expected.backward(gradient)
    found.backward(gradient)
    for level, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(level.grad, other.grad, rtol=0, atol=1e-3)


def test_a_region_larger_than_the_only_map():
    feature, rois = torch.randn(1, 8, *SIZE), random_rois(9)
    rois[:, 0] = 0
    rois[7, 1:] = torch.tensor([-900, -500, 1900, 1300])
    args = rois, torch.zeros(9).long(), (7, 7), [1 / 16]
    torch.testing.assert_close(roi_align_cells([feature], *args),
                               roi_align(feature, rois, 7, 1 / 16, 0, True),
                               rtol=0, atol=5e-5)
    compiled = torch.compile(roi_align_cells, backend='aot_eager', fullgraph=True)
    with pytest.raises(RuntimeError, match='larger than the feature map'):
        compiled([feature], *args)


def test_the_way_back_has_no_pixels_without_weight(monkeypatch):
    numbers, bag = [], F.embedding_bag

    def counted(pixels, *args, **kwargs):
        numbers.append(pixels.numel())
        return bag(pixels, *args, **kwargs)
    monkeypatch.setattr(F, 'embedding_bag', counted)
    rois = torch.tensor([[0.0, 40, 30, 110, 90]])  # a cell is less than a pixel
    for grad in (False, True):
        feature = torch.randn(1, 8, *SIZE, requires_grad=grad)
        roi_align_cells([feature], rois, torch.zeros(1).long(), (7, 7), [1 / 16])
    assert numbers[1] <= 4 * 7 * 7 < numbers[0]
    # in a graph, shapes do not depend on the regions
    compiled = torch.compile(roi_align_cells, backend='aot_eager', fullgraph=True)
    compiled([feature], rois, torch.zeros(1).long(), (7, 7), [1 / 16])


@pytest.mark.parametrize('num_levels', [1, 2])
def test_no_region_on_the_map(num_levels):
    feature = torch.randn(1, 8, *SIZE, requires_grad=True)
    for num in (0, 1):
        beside = torch.tensor([0.0, -900, -900, -800, -800])
        rois = beside.repeat(num, 1)
        found = roi_align_cells([feature] * num_levels, rois, torch.zeros(num).long(),
                                (7, 7), [1 / 16] * num_levels)
        assert found.shape == (num, 8, 7, 7)
        assert not found.any()
        found.sum().backward()
    assert not feature.grad.any()


@pytest.mark.parametrize('train', [False, True])
def test_bfloat16(train):
    """Coordinates, sums and gradients are float32."""
    torch.manual_seed(0)
    plain = RoIPoolExtractor(dict(type='RoIAlign', output_size=14), 64, [16])
    feature = torch.randn(2, 64, *SIZE).bfloat16().requires_grad_(train)
    copied = feature.detach().clone().requires_grad_(train)
    rois = random_rois(300)[6:]
    found = with_class(plain, PixelRoIAlign)([feature], rois)
    expected = plain([copied], rois)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found, expected, rtol=2**-6, atol=2**-7)
    if train:
        gradient = torch.rand_like(found)
        found.backward(gradient)
        expected.backward(gradient)
        torch.testing.assert_close(feature.grad, copied.grad, rtol=2**-7, atol=0)

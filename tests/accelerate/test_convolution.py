"""The gradient of a convolution by matrix products, beside torch's."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from frcnn_plugin.accelerate import convolution
from frcnn_plugin.accelerate.convolution import ProductConv2d
from frcnn_plugin.accelerate.parts import replace_convolutions, with_class

CAPABILITY = 'torch.backends.cpu.get_cpu_capability'
AMX = 'torch.cpu._is_amx_tile_supported'


@pytest.fixture
def by_products(monkeypatch):
    """As on a processor where products are always faster."""
    monkeypatch.setattr(convolution, 'products_are_faster', lambda *_: True)


@pytest.mark.parametrize(('capability', 'amx', 'dtype', 'faster'), [
    ('AVX2', False, torch.float32,
     [(8, 64, 1, 1), (64, 64, 3, 3), (1024, 256, 1, 1), (512, 512, 3, 3)]),
    ('AVX2', False, torch.bfloat16, []),
    ('AVX512', False, torch.float32, []),
    ('AVX512', False, torch.bfloat16, []),
    ('AVX512', True, torch.float32, []),
    ('AVX512', True, torch.bfloat16, [(1024, 256, 1, 1), (512, 512, 3, 3)])])
def test_where_products_are_faster(monkeypatch, capability, amx, dtype, faster):
    monkeypatch.setattr(CAPABILITY, lambda: capability)
    monkeypatch.setattr(AMX, lambda: amx)
    shapes = [(64, 3, 7, 7), (8, 64, 1, 1), (64, 64, 3, 3), (1024, 256, 1, 1),
              (512, 512, 3, 3)]
    assert [shape for shape in shapes if convolution.products_are_faster(
        torch.empty(shape), dtype)] == faster


def test_products_only_in_the_type_in_which_they_are_faster(monkeypatch):
    monkeypatch.setattr(CAPABILITY, lambda: 'AVX512')
    monkeypatch.setattr(AMX, lambda: True)
    parts = nn.Sequential(nn.Conv2d(64, 64, 3), nn.Conv2d(512, 512, 3))
    replace_convolutions(parts)
    assert [type(part) for part in parts] == [nn.Conv2d, ProductConv2d]
    x = torch.randn(1, 512, 4, 4).to(memory_format=torch.channels_last)
    assert '_Convolution' not in type(parts[1](x).grad_fn).__name__
    with torch.autocast('cpu', torch.bfloat16):
        assert '_Convolution' in type(parts[1](x).grad_fn).__name__


@pytest.mark.usefixtures('by_products')
@pytest.mark.parametrize(('kernel', 'stride', 'padding', 'bias'), [
    (1, 1, 0, True), (3, 1, 1, False), (3, 2, 1, True), (1, 2, 0, False),
    ((3, 5), (2, 1), (0, 2), True)])
@pytest.mark.parametrize(('channels', 'chunk', 'memory_format'), [
    (64, convolution.CHUNK, torch.channels_last), (64, 1, torch.channels_last),
    (64, 3 * 14 * 9 * 64, torch.channels_last), (256, 1, torch.channels_last),
    (64, 1, torch.contiguous_format)])
def test_equals_torch(kernel, stride, padding, bias, memory_format, channels, chunk,
                      monkeypatch):
    monkeypatch.setattr(convolution, 'CHUNK', chunk)
    torch.manual_seed(0)
    theirs = nn.Conv2d(channels, 32, kernel, stride, padding, bias=bias)
    mine = with_class(copy.deepcopy(theirs), ProductConv2d)
    x = torch.randn(2, channels, 11, 14)
    inputs = [x.clone(memory_format=memory_format).requires_grad_() for _ in range(2)]
    expected, found = theirs(inputs[0]), mine(inputs[1])
    assert torch.equal(found, expected)
    by_products = '_Convolution' in type(found.grad_fn).__name__
    assert by_products == (memory_format == torch.channels_last)
    gradient = torch.randn_like(expected)
    expected.backward(gradient)
    found.backward(gradient)
    torch.testing.assert_close(inputs[1].grad, inputs[0].grad, atol=1e-5, rtol=1e-5)
    for name, parameter in theirs.named_parameters():
        torch.testing.assert_close(mine.get_parameter(name).grad, parameter.grad,
                                   atol=1e-4, rtol=1e-4)


@pytest.mark.usefixtures('by_products')
@pytest.mark.parametrize(('channels', 'kernel', 'stride'), [
    (64, 3, 1), (256, 3, 2), (64, 1, 1)])
def test_bfloat16(channels, kernel, stride):
    """Rounded like torch's own: every sum is made in float32, and rounded once."""
    torch.manual_seed(0)
    theirs = nn.Conv2d(channels, 32, kernel, stride, kernel // 2).to(
        memory_format=torch.channels_last)
    mine = with_class(copy.deepcopy(theirs), ProductConv2d)
    x = torch.randn(2, channels, 12, 15).to(memory_format=torch.channels_last)
    with torch.autocast('cpu', torch.bfloat16):
        expected, found = theirs(x), mine(x)
    assert found.dtype == torch.bfloat16 and torch.equal(found, expected)
    assert '_Convolution' in type(found.grad_fn).__name__
    gradient = torch.randn_like(expected)
    expected.backward(gradient)
    found.backward(gradient)
    for name, parameter in theirs.named_parameters():
        mine_of_it = mine.get_parameter(name).grad
        assert mine_of_it.dtype == torch.float32
        torch.testing.assert_close(
            mine_of_it, parameter.grad, rtol=2**-7,
            atol=2**-9 * parameter.grad.abs().max().item())


@pytest.mark.usefixtures('by_products')
def test_others_keep_their_place():
    parts = nn.Sequential(
        nn.Conv2d(64, 64, 3, groups=2), nn.Conv2d(64, 64, 3, dilation=2),
        nn.Conv2d(64, 64, 3, padding='same'), nn.Conv2d(3, 64, 3))
    names = list(parts.state_dict())
    weight = parts[3].weight
    replace_convolutions(parts)
    assert [type(part) for part in parts] == [nn.Conv2d] * 3 + [ProductConv2d]
    assert list(parts.state_dict()) == names and parts[3].weight is weight


@pytest.mark.usefixtures('by_products')
def test_a_frozen_convolution_still_passes_gradients_on():
    conv = with_class(nn.Conv2d(64, 32, 3).requires_grad_(False), ProductConv2d)
    x = torch.randn(1, 64, 8, 8).to(memory_format=torch.channels_last).requires_grad_()
    conv(x).sum().backward()
    assert x.grad.abs().sum() > 0 and conv.weight.grad is None


@pytest.mark.usefixtures('by_products')
@pytest.mark.parametrize('shape', [
    (0, 64, 5, 5), (0, 256, 5, 5), (3, 64, 1, 1), (2, 64, 1, 7), (2, 256, 1, 1)])
def test_few_positions_or_none(shape):
    conv = with_class(nn.Conv2d(shape[1], 8, 3, padding=1), ProductConv2d)
    x = torch.randn(shape).to(memory_format=torch.channels_last).requires_grad_()
    gradient = torch.randn(shape[0], 8, *shape[2:])
    conv(x).backward(gradient)
    found, conv.weight.grad = conv.weight.grad, None
    F.conv2d(x, conv.weight, conv.bias, padding=1).backward(gradient)
    torch.testing.assert_close(found, conv.weight.grad, atol=1e-4, rtol=1e-4)

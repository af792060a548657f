"""The gradient of a convolution by matrix products, beside torch's."""

import copy

import pytest
import torch
from torch import nn

from frcnn_plugin.accelerate.convolution import ProductConv2d
from frcnn_plugin.accelerate.parts import replace_convolutions, with_class


@pytest.mark.parametrize(('kernel', 'stride', 'padding', 'bias'), [
    (1, 1, 0, True), (3, 1, 1, False), (3, 2, 1, True), (1, 2, 0, False),
    ((3, 5), (2, 1), (0, 2), True)])
@pytest.mark.parametrize('memory_format', [
    torch.channels_last, torch.contiguous_format])
def test_equals_torch(kernel, stride, padding, bias, memory_format):
    torch.manual_seed(0)
    theirs = nn.Conv2d(64, 32, kernel, stride, padding, bias=bias)
    mine = with_class(copy.deepcopy(theirs), ProductConv2d)
    x = torch.randn(2, 64, 11, 14)
    inputs = [x.clone(memory_format=memory_format).requires_grad_() for _ in range(2)]
    expected, found = theirs(inputs[0]), mine(inputs[1])
    assert torch.equal(found, expected)
    gradient = torch.randn_like(expected)
    expected.backward(gradient)
    found.backward(gradient)
    torch.testing.assert_close(inputs[1].grad, inputs[0].grad, atol=1e-5, rtol=1e-5)
    for name, parameter in theirs.named_parameters():
        torch.testing.assert_close(mine.get_parameter(name).grad, parameter.grad,
                                   atol=1e-4, rtol=1e-4)


def test_others_keep_their_place():
    parts = nn.Sequential(
        nn.Conv2d(64, 64, 3, groups=2), nn.Conv2d(64, 64, 3, dilation=2),
        nn.Conv2d(64, 64, 3, padding='same'), nn.Conv2d(3, 64, 3))
    names = list(parts.state_dict())
    weight = parts[3].weight
    replace_convolutions(parts)
    assert [type(part) for part in parts] == [nn.Conv2d] * 3 + [ProductConv2d]
    assert list(parts.state_dict()) == names and parts[3].weight is weight


def test_a_frozen_convolution_still_passes_gradients_on():
    conv = with_class(nn.Conv2d(64, 32, 3).requires_grad_(False), ProductConv2d)
    x = torch.randn(1, 64, 8, 8).to(memory_format=torch.channels_last).requires_grad_()
    conv(x).sum().backward()
    assert x.grad.abs().sum() > 0 and conv.weight.grad is None

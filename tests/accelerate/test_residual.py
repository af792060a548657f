"""Residual blocks whose additions are made by the convolutions, beside plain ones."""

import copy

import pytest
import torch
from mmdet.models.backbones.resnet import Bottleneck, ResNet
from torch import nn
from torch.profiler import profile
from torchvision.models import resnet18, resnet50

from frcnn_plugin.accelerate import residual
from frcnn_plugin.accelerate.inference import fold_batch_norms
from frcnn_plugin.accelerate.parts import replace_blocks
from frcnn_plugin.accelerate.residual import FoldedBlock


def stages(kind: str) -> nn.Sequential:
    """A first stage, whose first block is with or without a shortcut, and a second."""
    net = ResNet(50) if kind == 'mmdet' else dict(
        resnet18=resnet18, resnet50=resnet50)[kind]()
    net = nn.Sequential(net.layer1, net.layer2).to(memory_format=torch.channels_last)
    for norm in net.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.running_mean.uniform_(-0.2, 0.2)
            norm.running_var.uniform_(0.5, 2)
    return fold_batch_norms(net)


def fused_calls(run) -> int:
    """How many convolutions apply something to their result."""
    with profile() as seen:
        run()
    return sum('_convolution_pointwise' in event.name for event in seen.events())


@pytest.mark.parametrize('amp', [False, pytest.param(True, marks=pytest.mark.skipif(
    not torch.ops.mkldnn._is_mkldnn_bf16_supported(), reason='no bfloat16'))])
@pytest.mark.parametrize(('kind', 'fused'), [
    ('resnet18', 6), ('resnet50', 21), ('mmdet', 21)])
def test_equals_plain_blocks(monkeypatch, kind, fused, amp):
    monkeypatch.setattr(residual, 'MANY_VALUES', 0)
    torch.manual_seed(0)
    plain = stages(kind)
    fast = copy.deepcopy(plain)
    replace_blocks(fast)
    assert list(fast.state_dict()) == list(plain.state_dict())
    x = torch.randn(2, 64, 12, 15).to(memory_format=torch.channels_last)
    given = x.clone()
    with torch.no_grad(), torch.autocast('cpu', torch.bfloat16, enabled=amp):
        expected, found = plain(x), fast(x)
        assert fused_calls(lambda: fast(x)) == fused
    assert torch.equal(x, given)  # is not written over
    assert found.dtype == expected.dtype
    tolerance = 2e-2 if amp else 1e-5
    torch.testing.assert_close(found, expected, rtol=tolerance,
                               atol=tolerance * expected.abs().max().item())


def test_the_plain_way():
    """Of what is small, or has a gradient."""
    plain = stages('resnet50')
    fast = copy.deepcopy(plain)
    replace_blocks(fast)
    assert sum(type(part) is FoldedBlock for part in fast.modules()) == 7
    x = torch.randn(1, 64, 8, 8).to(memory_format=torch.channels_last)
    assert fused_calls(lambda: fast(x)) == 0
    assert torch.equal(fast(x), plain(x))
    gradients = []
    for net in (plain, fast):
        leaf = x.clone().requires_grad_()
        net(leaf).sum().backward()
        gradients.append(leaf.grad)
    assert torch.equal(*gradients)


def test_others_keep_their_place():
    parts = nn.Sequential(nn.Sequential(nn.Conv2d(64, 64, 3), nn.ReLU()),
                          resnet50().layer1,  # with batch normalisation
                          Bottleneck(64, 16, norm_cfg=dict(type='GN', num_groups=8)))
    kinds = [type(part) for part in parts.modules()]
    replace_blocks(parts)
    assert [type(part) for part in parts.modules()] == kinds

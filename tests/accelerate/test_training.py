"""A detector made ready to train learns what it would have learnt."""

import pytest
import torch
from helpers import make_samples, tiny_detector, total
from torch import nn

from frcnn_plugin.accelerate import convolution, for_training
from frcnn_plugin.accelerate.convolution import ProductConv2d
from frcnn_plugin.registry import MODELS


def detectors():
    """Two with the same weights, the second made ready."""
    cfg = tiny_detector()
    cfg.roi_head.bbox_roi_extractor.roi_layer = dict(type='RoIAlign', output_size=14)
    for sampler in (cfg.rpn_head.target_sampler, cfg.roi_head.target_sampler):
        sampler.num = -1
    cfg.rpn_head.proposal_creator.train.max_per_img = 10
    plain = MODELS.build(cfg)
    fast = MODELS.build(cfg)
    fast.load_state_dict(plain.state_dict())
    for_training(fast)
    return plain.train(), fast.train()


@pytest.mark.parametrize('faster', [True, False])
def test_the_gradient_by_products_where_it_is_faster(monkeypatch, faster):
    monkeypatch.setattr(convolution, 'products_are_faster', lambda *_: faster)
    convs = [part for part in detectors()[1].modules() if isinstance(part, nn.Conv2d)]
    assert {type(part) for part in convs} == {ProductConv2d if faster else nn.Conv2d}


def test_losses_and_gradients(monkeypatch):
    # with all that may be replaced
    monkeypatch.setattr(convolution, 'products_are_faster', lambda *_: True)
    torch.manual_seed(0)
    images, samples = torch.randn(2, 3, 128, 160), make_samples((2, 3))
    plain, fast = detectors()
    assert fast.state_dict().keys() == plain.state_dict().keys()
    convs = [part for part in fast.modules() if isinstance(part, nn.Conv2d)]
    assert {type(part) for part in convs} == {ProductConv2d}
    assert convs[1].weight.is_contiguous(memory_format=torch.channels_last)
    expected, found = (net.loss(images, samples) for net in (plain, fast))
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-6)
    total(expected).backward()
    total(found).backward()
    for name, parameter in plain.named_parameters():
        difference = fast.get_parameter(name).grad - parameter.grad
        assert difference.norm() <= 1e-2 * parameter.grad.norm(), name


def test_a_frozen_stage_stays_frozen():
    cfg = tiny_detector()
    cfg.backbone.frozen_stages = 1
    net = for_training(MODELS.build(cfg)).train()
    total(net.loss(torch.randn(1, 3, 128, 160), make_samples((2,)))).backward()
    assert net.backbone.layer1[0].conv1.weight.grad is None
    assert net.backbone.layer2[0].conv1.weight.grad.abs().sum() > 0

from types import SimpleNamespace

import pytest
import torch
from helpers import make_samples, tiny_detector, total

from frcnn_plugin.commands.train import train
from frcnn_plugin.engine.frozen_phase_hook import detector_of
from frcnn_plugin.errors import ConfigError
from frcnn_plugin.io.weights_only import load_weights_only
from frcnn_plugin.registry import MODELS


def test_the_backbone_is_fixed_at_first_and_then_trained(small, tmp_path):
    train([*small('--max-iters', '4', '--seed', '0'),
           'default_hooks.phase.type=FrozenPhaseHook', 'default_hooks.phase.until=2',
           'default_hooks.checkpoint.interval=1',
           'default_hooks.checkpoint.max_keep_ckpts=-1'])
    states = [load_weights_only(tmp_path / 'run' / f'iter_{i}.pth')
              ['state_dict'] for i in (1, 2, 3, 4)]
    backbone = [name for name in states[0] if name.startswith('backbone')]

    def same(a, b, names):
        return [torch.equal(states[a][name], states[b][name]) for name in names]

    assert all(same(0, 1, backbone))
    assert not any(same(1, 2, [n for n in backbone if n.endswith('conv1.weight')]))
    assert not all(same(0, 1, [n for n in states[0] if n.startswith('rpn_head')]))
    # the running statistics stay fixed in both phases
    assert all(same(1, 3, [n for n in backbone if 'running' in n]))


def test_a_resumed_run_is_in_its_phase(small, tmp_path):
    options = ['default_hooks.phase.type=FrozenPhaseHook',
               'default_hooks.phase.until=2', 'default_hooks.checkpoint.interval=1']
    train([*small('--max-iters', '3', '--seed', '0'), *options])
    train([*small('--max-iters', '4', '--resume'), *options])
    before, after = (load_weights_only(tmp_path / 'run' / f'iter_{i}.pth')
                     ['state_dict']['backbone.conv1.weight'] for i in (3, 4))
    assert not torch.equal(before, after)


@pytest.fixture
def detector():
    cfg = tiny_detector()
    cfg.backbone.update(norm_eval=False, frozen_stages=1)
    return MODELS.build(cfg).train()


def step(detector) -> dict:
    losses = detector(torch.randn(2, 3, 128, 160), make_samples((2, 3)), 'loss')
    total(losses).backward()
    return losses


def test_a_frozen_part_gets_no_gradient_and_keeps_its_statistics(detector):
    before = {n: t.clone() for n, t in detector.backbone.state_dict().items()}
    detector.freeze_parts('backbone', 'neck')
    detector.train()
    step(detector)
    assert all(p.grad is None for p in detector.backbone.parameters())
    for name, tensor in detector.backbone.state_dict().items():
        assert torch.equal(tensor, before[name])
    detector.unfreeze_parts()
    step(detector)
    fixed = [n for n, p in detector.backbone.named_parameters() if p.grad is None]
    assert fixed and all(n.startswith(('conv1', 'bn1', 'layer1')) for n in fixed)
    assert not torch.equal(detector.backbone.state_dict()['layer3.0.bn1.running_mean'],
                           before['layer3.0.bn1.running_mean'])


def test_freeze_bn_outlasts_a_switch_to_training(detector):
    """``freeze_bn()``, which training scripts call once, holds in each later phase."""
    detector.freeze_bn()
    detector.eval()
    detector.train()
    assert detector.training and detector.backbone.layer3.training
    before = {n: t.clone() for n, t in detector.state_dict().items() if 'running' in n}
    step(detector)
    assert before
    for name, tensor in before.items():
        assert torch.equal(detector.state_dict()[name], tensor)


def test_what_has_no_phases_is_named(detector):
    with pytest.raises(ValueError, match='not a part of the detector'):
        detector.freeze_parts('head')
    with pytest.raises(ConfigError, match='Linear cannot be trained in phases'):
        detector_of(SimpleNamespace(model=torch.nn.Linear(1, 1)))

"""Mixed precision on a CPU: bfloat16 in the network, float32 in all that is kept."""

import pytest
import torch

from frcnn_plugin.backbones import ResNetC4
from frcnn_plugin.commands.train import train
from frcnn_plugin.io.checkpoints import read_checkpoint


@pytest.mark.long
def test_training_runs_in_bfloat16_and_resumes(small, tmp_path, monkeypatch):
    monkeypatch.setattr('frcnn_plugin.accelerate.precision.has_bfloat16', lambda: True)
    seen = set()
    forward = ResNetC4.forward

    def note(self, x):
        out = forward(self, x)
        if torch.is_grad_enabled():
            seen.add(out[0].dtype)
        return out

    monkeypatch.setattr(ResNetC4, 'forward', note)
    train(small('--amp', '--max-iters', '2', '--seed', '0', work_dir='whole'))
    assert seen == {torch.bfloat16}
    whole = read_checkpoint(tmp_path / 'whole/iter_2.pth')
    kinds = {value.dtype for value in whole['state_dict'].values()
             if value.is_floating_point()}
    assert kinds == {torch.float32}
    train(small('--amp', '--max-iters', '1', '--seed', '0', work_dir='part'))
    train(small('--amp', '--max-iters', '2', '--resume', work_dir='part'))
    part = read_checkpoint(tmp_path / 'part/iter_2.pth')
    for name, value in whole['state_dict'].items():
        assert torch.equal(value, part['state_dict'][name]), name

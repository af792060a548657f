"""Mixed precision on a CPU: bfloat16 in the network, float32 in all that is kept."""

import torch
from torch import nn

from frcnn_plugin.commands.train import train
from frcnn_plugin.io.checkpoints import read_checkpoint

SMALL = ['model.rpn_head.feat_channels=32',
         'model.roi_head.bbox_head.fc_channels=[32,32]']


def test_training_runs_in_bfloat16_and_resumes(small, tmp_path, monkeypatch):
    monkeypatch.setattr('frcnn_plugin.commands.train.has_bfloat16', lambda: True)
    seen = set()
    forward = nn.Conv2d.forward

    def note(self, x):
        out = forward(self, x)
        if self.training and torch.is_grad_enabled():
            seen.add(out.dtype)
        return out

    monkeypatch.setattr(nn.Conv2d, 'forward', note)
    train([*small('--amp', '--max-iters', '4', '--seed', '0', work_dir='whole'),
           *SMALL])
    assert seen == {torch.bfloat16}
    whole = read_checkpoint(tmp_path / 'whole/iter_4.pth')
    kinds = {value.dtype for value in whole['state_dict'].values()
             if value.is_floating_point()}
    assert kinds == {torch.float32}
    train([*small('--amp', '--max-iters', '2', '--seed', '0', work_dir='part'), *SMALL])
    train([*small('--amp', '--max-iters', '4', '--resume', work_dir='part'), *SMALL])
    part = read_checkpoint(tmp_path / 'part/iter_4.pth')
    for name, value in whole['state_dict'].items():
        assert torch.equal(value, part['state_dict'][name]), name

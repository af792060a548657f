import pytest
import torch
from mmengine.runner import Runner

from frcnn_plugin.commands import machine
from frcnn_plugin.commands.parser import parse
from frcnn_plugin.commands.train import configure
from frcnn_plugin.errors import UserError
from frcnn_plugin.registry import MODELS


@pytest.mark.parametrize('launcher', ['pytorch', 'slurm', 'mpi'])
def test_a_launcher_that_did_not_start_us(launcher, monkeypatch):
    for variable, _ in machine.LAUNCHERS.values():
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(UserError, match=f'--launcher {launcher}.*start it with'):
        machine.join_group(launcher)


def test_batches_are_copied_while_a_gpu_computes(repo, monkeypatch):
    arguments = parse('train', [str(repo / 'configs/frcnn_r50_c4_voc.py')])
    assert 'pin_memory' not in configure(arguments).train_dataloader
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    cfg = configure(arguments)
    assert MODELS.build(cfg.model.data_preprocessor)._non_blocking
    loader = dict(cfg.train_dataloader, dataset=[0, 1], batch_sampler=None,
                  num_workers=0, persistent_workers=False)
    assert Runner.build_dataloader(loader).pin_memory


def test_a_choice_of_the_config_stays(repo, monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    arguments = parse('train', [str(repo / 'configs/frcnn_r50_c4_voc.py'),
                                '--cfg-options', 'train_dataloader.pin_memory=False'])
    assert configure(arguments).train_dataloader.pin_memory is False

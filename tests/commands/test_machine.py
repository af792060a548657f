import pytest
import torch
from mmengine.runner import Runner

from frcnn_plugin.commands import machine
from frcnn_plugin.config.files import load_config
from frcnn_plugin.errors import UserError
from frcnn_plugin.registry import MODELS


@pytest.fixture
def cfg(repo):
    return load_config(str(repo / 'configs/frcnn_r50_c4_voc.py'))


@pytest.mark.parametrize('launcher', ['pytorch', 'slurm', 'mpi'])
def test_a_launcher_that_did_not_start_us(cfg, launcher, monkeypatch):
    for variable, _ in machine.LAUNCHERS.values():
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(UserError, match=f'--launcher {launcher}.*start it with'):
        machine.set_launcher(cfg, launcher)


def test_batches_are_copied_while_a_gpu_computes(cfg, repo, monkeypatch, tmp_path):
    machine.set_transfer(cfg)
    assert 'pin_memory' not in cfg.train_dataloader
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    machine.set_transfer(cfg)
    assert MODELS.build(cfg.model.data_preprocessor)._non_blocking
    loader = dict(cfg.train_dataloader, dataset=[0, 1], batch_sampler=None,
                  num_workers=0, persistent_workers=False)
    assert Runner.build_dataloader(loader).pin_memory


def test_a_choice_of_the_config_stays(cfg, monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    cfg.train_dataloader.pin_memory = False
    machine.set_transfer(cfg)
    assert cfg.train_dataloader.pin_memory is False

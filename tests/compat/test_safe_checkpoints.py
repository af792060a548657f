"""mmengine loads its own checkpoints, and no other program's ``torch.load`` changes."""

import os
import pickle

import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner.checkpoint import CheckpointLoader, load_checkpoint

import frcnn_plugin  # noqa: F401 - what is tested happens when it is imported


@pytest.fixture
def checkpoint(tmp_path):
    model = torch.nn.Linear(2, 1)
    buffer = HistoryBuffer()
    buffer.update(2.5)
    torch.save(dict(state_dict=model.state_dict(), log=buffer), tmp_path / 'a.pth')
    return str(tmp_path / 'a.pth')


def test_mmengine_loads_a_checkpoint_with_its_log(checkpoint):
    model = torch.nn.Linear(2, 1)
    content = load_checkpoint(model, checkpoint, map_location='cpu', strict=True)
    assert content['log'].mean() == 2.5
    assert torch.equal(model.weight, content['state_dict']['weight'])


def test_it_loads_relative_to_the_home_folder(checkpoint, monkeypatch, tmp_path):
    monkeypatch.setenv('HOME', str(tmp_path))
    assert CheckpointLoader.load_checkpoint('~/a.pth')['log'].mean() == 2.5
    with pytest.raises(FileNotFoundError, match=r'nothing\.pth'):
        CheckpointLoader.load_checkpoint(str(tmp_path / 'nothing.pth'))


def test_a_plain_torch_load_refuses_it_as_ever(checkpoint):
    for _ in range(2):
        with pytest.raises(pickle.UnpicklingError, match='HistoryBuffer'):
            torch.load(checkpoint)
        CheckpointLoader.load_checkpoint(checkpoint)


def test_no_code_runs_in_mmengine_either(tmp_path):
    class Harmful:
        def __reduce__(self):
            return os.system, (f'touch {tmp_path}/made',)

    torch.save(dict(weight=Harmful()), tmp_path / 'a.pth')
    with pytest.raises(pickle.UnpicklingError):
        CheckpointLoader.load_checkpoint(str(tmp_path / 'a.pth'))
    assert not (tmp_path / 'made').exists()


def test_files_of_other_places_are_loaded_with_the_same_types(checkpoint, monkeypatch):
    """Object stores; mmengine reads from them with packages of their own."""
    from mmengine.runner import checkpoint as stock

    class Store:
        def get(self, name):
            with open(checkpoint, 'rb') as file:
                return file.read()

    monkeypatch.setattr(stock, 'get_file_backend', lambda *_, **__: Store())
    content = CheckpointLoader.load_checkpoint('s3://bucket/a.pth')
    assert content['log'].mean() == 2.5

import pytest

from frcnn_plugin.commands import machine, overrides
from frcnn_plugin.utils.errors import UserError


@pytest.fixture
def cfg(repo):
    return overrides.load_config(str(repo / 'configs/frcnn_r50_c4_voc.py'))


@pytest.mark.parametrize('launcher', ['pytorch', 'slurm', 'mpi'])
def test_a_launcher_that_did_not_start_us(cfg, launcher, monkeypatch):
    for variable, _ in machine.LAUNCHERS.values():
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(UserError, match=f'--launcher {launcher}.*start it with'):
        machine.set_launcher(cfg, launcher)

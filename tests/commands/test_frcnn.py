"""All commands under one name, and the configs in the package."""

import os
import shutil
import subprocess
import sys

import pytest

from frcnn_plugin.commands import frcnn
from frcnn_plugin.commands.overrides import find_config
from frcnn_plugin.utils.errors import UserError


def call(monkeypatch, *arguments):
    monkeypatch.setattr(sys, 'argv', ['frcnn', *arguments])
    try:
        frcnn.main()
    except SystemExit as end:
        return end.code
    return 0


@pytest.mark.parametrize('arguments', [(), ('--help',), ('-h',)])
def test_it_lists_its_commands(monkeypatch, capsys, arguments):
    assert call(monkeypatch, *arguments) == 0
    said = capsys.readouterr().out
    assert all(name.replace('_', '-') in said for name in frcnn.COMMANDS)


@pytest.mark.parametrize('name', frcnn.COMMANDS)
def test_each_has_its_options(monkeypatch, capsys, name):
    assert call(monkeypatch, name.replace('_', '-'), '--help') == 0
    assert f'usage: frcnn {name.replace("_", "-")} ' in capsys.readouterr().out


def test_a_name_that_is_none(monkeypatch):
    assert call(monkeypatch, 'trian') == (
        'error: there is no command trian, did you mean train? (frcnn --help)')


def test_from_an_empty_folder_with_a_config_of_the_package(small, tmp_path):
    folder = tmp_path / 'empty'
    folder.mkdir()
    arguments = small('--max-iters', '1')[1:]
    done = subprocess.run(
        [sys.executable, '-m', 'frcnn_plugin', 'train', 'frcnn_r18_c4_shapes',
         *arguments[:arguments.index('--work-dir')], *arguments[
             arguments.index('--cfg-options'):]],
        cwd=folder, capture_output=True, text=True,
        env=dict(os.environ, OMP_NUM_THREADS='1'))
    assert done.returncode == 0, done.stderr
    assert (folder / 'work_dirs/frcnn_r18_c4_shapes/iter_1.pth').is_file()
    assert not call_status(folder, 'check-dataset', '/nowhere')


def call_status(folder, *arguments) -> bool:
    return subprocess.run([sys.executable, '-m', 'frcnn_plugin', *arguments],
                          cwd=folder, capture_output=True).returncode == 0


def test_configs_by_name(repo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    whole = repo / 'configs/frcnn_r50_c4_voc.py'
    for name in ('frcnn_r50_c4_voc', 'frcnn_r50_c4_voc.py', str(whole)):
        assert find_config(name).resolve() == whole
    for name in ('frcnn_r50', '../configs/frcnn_r50_c4_voc', '/frcnn_r50_c4_voc'):
        with pytest.raises(UserError, match='no such config file'):
            find_config(name)


def test_what_is_installed_holds_the_configs(repo, tmp_path):
    source, built = tmp_path / 'source', tmp_path / 'built'
    source.mkdir()
    for name in ('frcnn_plugin', 'configs'):
        shutil.copytree(repo / name, source / name, symlinks=True,
                        ignore=shutil.ignore_patterns('__pycache__'))
    for name in ('setup.cfg', 'pyproject.toml', 'README.md', 'LICENSE'):
        shutil.copy(repo / name, source)
    subprocess.run([sys.executable, '-c', 'import setuptools; setuptools.setup()',
                    '--quiet', 'build', '--build-lib', built], cwd=source, check=True)
    files = {str(path.relative_to(built)) for path in built.rglob('*.py')}
    modules = {f'frcnn_plugin/{path.relative_to(repo / "frcnn_plugin")}'
               for path in (repo / 'frcnn_plugin').rglob('*.py')}
    configs = {f'frcnn_plugin/configs/{path.relative_to(repo / "configs")}'
               for path in (repo / 'configs').rglob('*.py')}
    assert configs and files == modules | configs
    templates = 'frcnn_plugin/report/templates'
    assert {path.name for path in (built / templates).iterdir()} == {
        path.name for path in (repo / templates).glob('*.j2')}

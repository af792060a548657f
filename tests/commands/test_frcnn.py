"""All commands under one name, and the configs in the package."""

import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torchvision.models.detection import fasterrcnn_resnet50_fpn

from frcnn_plugin.commands import frcnn
from frcnn_plugin.config.files import load_config


def test_a_name_that_is_none():
    with pytest.raises(SystemExit) as end:
        frcnn.main(['trian'])
    assert end.value.code == (
        'error: there is no command trian, did you mean train? (frcnn --help)')


@pytest.mark.parametrize('words', [['make_shapes', '--out'], ['train'], ['--what']])
def test_words_that_do_not_fit(words, capsys):
    with pytest.raises(SystemExit) as end:
        frcnn.main(words)
    assert end.value.code == 2 and 'usage: frcnn' in capsys.readouterr().err


def test_a_status_is_that_of_the_command(tmp_path, monkeypatch):
    from frcnn_plugin.commands import make_shapes
    for result, status in ((0, 0), (3, 3), (dict(mAP=0.5), 0)):
        monkeypatch.setattr(make_shapes, 'make_shapes', lambda argv, result=result: (
            result))
        with pytest.raises(SystemExit) as end:
            frcnn.main(['make-shapes', '--out', str(tmp_path)])
        assert end.value.code == status


@pytest.mark.long
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


def test_a_module_that_fails(monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['frcnn_plugin', 'check-dataset', '/nowhere'])
    with pytest.raises(SystemExit) as end:
        runpy.run_module('frcnn_plugin', run_name='__main__')
    assert end.value.code == 1
    assert capsys.readouterr().err.startswith('error: /nowhere: no such folder')


@pytest.fixture(scope='module')
def built(tmp_path_factory):
    """A folder with the package as pip installs it."""
    repo = Path(__file__).resolve().parents[2]
    source, built = (tmp_path_factory.mktemp(name) for name in ('source', 'built'))
    for name in ('frcnn_plugin', 'configs'):
        shutil.copytree(repo / name, source / name, symlinks=True,
                        ignore=shutil.ignore_patterns('__pycache__'))
    for name in ('setup.cfg', 'pyproject.toml', 'README.md', 'LICENSE'):
        shutil.copy(repo / name, source)
    subprocess.run([sys.executable, '-c', 'import setuptools; setuptools.setup()',
                    '--quiet', 'build', '--build-lib', built], cwd=source, check=True)
    return built


@pytest.mark.long
def test_what_is_installed_holds_the_configs(repo, built):
    files = {str(path.relative_to(built)) for path in built.rglob('*.py')}
    modules = {f'frcnn_plugin/{path.relative_to(repo / "frcnn_plugin")}'
               for path in (repo / 'frcnn_plugin').rglob('*.py')}
    configs = {f'frcnn_plugin/configs/{path.relative_to(repo / "configs")}'
               for path in (repo / 'configs').rglob('*.py')}
    assert configs and files == modules | configs
    templates = 'frcnn_plugin/report/templates'
    assert {path.name for path in (built / templates).iterdir()} == {
        path.name for path in (repo / templates).glob('*.j2')}


@pytest.mark.long
def test_what_is_installed_finds_all_that_it_needs(built, tmp_path):
    """The configs of other code bases, in a folder that has none."""
    theirs = fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None, num_classes=7)
    torch.save(theirs.state_dict(), tmp_path / 'theirs.pth')
    done = subprocess.run(
        [sys.executable, '-c', 'import frcnn_plugin; print(frcnn_plugin.__file__); '
         'from frcnn_plugin.commands.frcnn import main; main()',
         'convert', 'theirs.pth', '-o', 'ours.pth', '--classes', *'abcdef'],
        cwd=tmp_path, capture_output=True, text=True,
        env=dict(os.environ, PYTHONPATH=str(built)))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(built))
    assert load_config(str(tmp_path / 'ours.py')).model.backbone.depth == 50


def test_what_the_system_refuses_is_one_line(tmp_path, capsys):
    (tmp_path / 'file').touch()
    with pytest.raises(SystemExit) as end:
        frcnn.exit_with_one_line(lambda: (tmp_path / 'file/a').mkdir())
    assert end.value.code == 1
    assert capsys.readouterr().err == f'error: {tmp_path}/file/a: Not a directory\n'

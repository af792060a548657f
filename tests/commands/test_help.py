"""Help, and commands that need no network, import nothing that takes seconds."""

import subprocess
import sys

import pytest

from frcnn_plugin.commands.arguments import data, detectors
from frcnn_plugin.commands.parser import COMMANDS
from frcnn_plugin.commands.prepare import DOWNLOADS
from frcnn_plugin.interop import PEERS
from frcnn_plugin.interop.configure import STYLES

SLOW = ('torch', 'torchvision', 'mmengine', 'mmcv', 'mmdet', 'numpy', 'cv2', 'rich')
EXTRAS = ('fiftyone', 'mlflow', 'moto', 'nncf', 'onnx', 'onnxruntime', 'openvino',
          'rasterio', 'ray', 'sahi', 'supervision', 'wandb')
NETWORKS = ('torch', 'torchvision', 'mmengine', 'mmcv', 'mmdet')
AS_PIP_WRITES_IT = """import re
import sys
from frcnn_plugin.commands.frcnn import main
if __name__ == '__main__':
    sys.exit(main())
"""


@pytest.fixture
def script(tmp_path):
    path = tmp_path / 'frcnn'
    path.write_text(AS_PIP_WRITES_IT)
    return str(path)


def imported_by(*words: str, cwd=None) -> tuple[str, set[str]]:
    """What a process prints, and the packages that it imports."""
    done = subprocess.run([sys.executable, '-X', 'importtime', *words], text=True,
                          capture_output=True, cwd=cwd)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout, {line.rpartition('|')[2].strip().partition('.')[0]
                         for line in done.stderr.splitlines()
                         if line.startswith('import time:')}


@pytest.mark.parametrize('words', [
    [], ['--help'], ['-h'], ['--version'],
    *([name.replace('_', '-'), '--help'] for name in COMMANDS)], ids=' '.join)
def test_help_of_frcnn(script, words):
    said, packages = imported_by(script, *words)
    assert 'frcnn' in said and 'frcnn_plugin' in packages
    assert not packages.intersection(SLOW)
    if len(words) == 2:
        assert f'usage: frcnn {words[0]} ' in said
    elif words != ['--version']:
        assert all(name.replace('_', '-') in said for name in COMMANDS)


@pytest.mark.parametrize('words', [
    ['-m', 'frcnn_plugin'], ['-m', 'frcnn_plugin', 'train', '--help'],
    ['-mfrcnn_plugin', '-h'], ['tools/train.py', '--help'], ['tools/test.py', '-h']],
    ids=' '.join)
def test_help_by_other_ways(repo, words):
    said, packages = imported_by(*words, cwd=repo)
    assert said.startswith('usage: frcnn ') and not packages.intersection(SLOW)


def test_a_program_of_others_gets_everything(tmp_path):
    """Whatever it is called, and whatever its arguments are."""
    program = tmp_path / 'frcnn'
    program.write_text('from frcnn_plugin import Detector; print("whole")')
    assert imported_by(str(program), '--help')[0] == 'whole\n'


def test_preparing_data_needs_no_network(shapes_root, tmp_path):
    """Nor do the components cost anything before a registry is asked for one."""
    out = str(tmp_path / 'out')
    for words in (['make-shapes', '--out', str(tmp_path / 'made'), '--train', '4',
                   '--val', '2', '--test', '2'],
                  ['prepare', str(shapes_root), '-o', out], ['check-dataset', out]):
        assert not imported_by('-m', 'frcnn_plugin', *words)[1].intersection(NETWORKS)
    assert not imported_by('-c', 'import frcnn_plugin')[1].intersection(NETWORKS)


@pytest.mark.long
def test_extras_are_not_imported_unless_asked_for(
        small, checkpoint, shapes_root, tmp_path):
    for words in (['train', *small('--max-iters', '1')],
                  ['detect', str(shapes_root / 'JPEGImages'), checkpoint,
                   '-o', str(tmp_path / 'out')]):
        packages = imported_by('-m', 'frcnn_plugin', *words)[1]
        assert 'mmdet' in packages and not packages.intersection(EXTRAS)


def test_choices_are_those_of_the_modules_that_it_does_not_import():
    assert {peer.config: peer.name for peer in PEERS} == detectors.SOURCES
    assert set(detectors.STYLES) == set(STYLES)
    assert set(data.YEARS) == set(DOWNLOADS)

"""A disk that fills up while a run writes to it: one line, and nothing good is lost."""

import os
import subprocess
import sys

import pytest

from frcnn_plugin.engine.resume.latest_checkpoint import find_latest
from frcnn_plugin.io.checkpoints import read_checkpoint

MIB = 2**20
CHECKPOINT = 60 * MIB  # roughly, of the demo's detector with small heads


@pytest.fixture
def disk(tmp_path):
    """Mounts a file system of a size; nothing else shows what a full disk does."""
    folder = tmp_path / 'disk'
    folder.mkdir()

    def mount(size: int):
        done = subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={size}', 'tmpfs',
                               folder], capture_output=True)
        if done.returncode:
            pytest.skip('no file system can be mounted here')
        return folder
    yield mount
    subprocess.run(['umount', folder], capture_output=True)


@pytest.fixture
def train(small, repo):
    """Trains in a process of its own; returns its status and what it said."""
    def run(work_dir, *options):
        arguments = small('--max-iters', '6', '--seed', '0')
        arguments[arguments.index('--work-dir') + 1] = str(work_dir)
        done = subprocess.run(
            [sys.executable, repo / 'tools/train.py', *arguments,
             'model.rpn_head.feat_channels=32',
             'model.roi_head.bbox_head.fc_channels=[32,32]', *options],
            text=True, capture_output=True, env=dict(os.environ, OMP_NUM_THREADS='1'))
        assert 'Traceback' not in done.stderr and 'Logging error' not in done.stderr
        return done.returncode, (done.stderr.strip().splitlines() or [''])[-1]
    return run


def test_a_checkpoint_that_does_not_fit(disk, train, capsys):
    work_dir = disk(CHECKPOINT * 5 // 2) / 'run'
    status, said = train(work_dir, 'default_hooks.checkpoint.interval=1',
                         'default_hooks.checkpoint.max_keep_ckpts=5')
    assert status == 1 and 'No space left on device' in said and '--resume' in said
    assert said.startswith(f'error: {work_dir}: no checkpoint can be written at')
    path, content = find_latest(work_dir, pytest.fail)
    assert content['meta']['iter'] == len(list(work_dir.glob('iter_*.pth'))) >= 1
    assert not list(work_dir.glob('.*.part'))
    assert (work_dir / 'last_checkpoint').read_text() == path
    # with room again, the run goes on
    subprocess.run(['mount', '-o', f'remount,size={CHECKPOINT * 5}', work_dir.parent],
                   check=True)
    status, _ = train(work_dir, 'default_hooks.checkpoint.interval=6', '--resume')
    assert status == 0
    assert read_checkpoint(work_dir / 'iter_6.pth')['meta']['iter'] == 6


@pytest.mark.parametrize('left', [4096, 10 * 4096], ids=['config', 'log'])
def test_anything_else_that_does_not_fit(disk, train, left):
    folder = disk(MIB)
    (folder / 'others').write_bytes(bytes(MIB - left))
    status, said = train(folder / 'run', 'default_hooks.logger.interval=1',
                         'default_hooks.checkpoint.interval=100')
    assert status == 1
    assert said.startswith(f'error: {folder / "run"}: ')
    assert 'No space left on device' in said

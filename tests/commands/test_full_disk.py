"""A disk that fills up while a run writes to it: one line, and nothing good is lost."""

import errno
import logging
import os
import subprocess
import sys

import pytest

from frcnn_plugin.commands.detect import detect
from frcnn_plugin.commands.out_of_space import explain_full_disk
from frcnn_plugin.commands.train import train as train_here
from frcnn_plugin.engine.resume.latest_checkpoint import find_latest
from frcnn_plugin.errors import CannotWriteError, UserError
from frcnn_plugin.io.checkpoints import read_checkpoint

MIB = 2**20
CHECKPOINT = 60 * MIB  # roughly, of the demo's detector with small heads


def as_root(*words) -> bool:
    """Whether a command ran that only root may run."""
    before = [] if os.geteuid() == 0 else ['sudo', '-n']
    try:
        return not subprocess.run([*before, *words], capture_output=True).returncode
    except FileNotFoundError:
        return False


@pytest.fixture
def disk(tmp_path):
    """Mounts a file system of a size; nothing else shows what a full disk does."""
    folder = tmp_path / 'disk'
    folder.mkdir()

    def mount(size: int):
        if not as_root('mount', '-t', 'tmpfs', '-o', f'size={size}', 'tmpfs', folder):
            pytest.skip('no file system can be mounted here')
        return folder
    yield mount
    as_root('umount', '--lazy', folder)


@pytest.fixture
def words(small):
    """The arguments of a training."""
    def words(work_dir, *options):
        arguments = small('--max-iters', '6', '--seed', '0')
        arguments[arguments.index('--work-dir') + 1] = str(work_dir)
        return [*arguments, 'model.rpn_head.feat_channels=32',
                'model.roi_head.bbox_head.fc_channels=[32,32]', *options]
    return words


@pytest.fixture
def train(words, repo):
    """Trains in a process of its own; returns its status and what it said."""
    def run(work_dir, *options):
        done = subprocess.run(
            [sys.executable, repo / 'tools/train.py', *words(work_dir, *options)],
            text=True, capture_output=True, env=dict(os.environ, OMP_NUM_THREADS='1'))
        assert 'Traceback' not in done.stderr and 'Logging error' not in done.stderr
        return done.returncode, (done.stderr.strip().splitlines() or [''])[-1]
    return run


@pytest.mark.long
def test_a_checkpoint_that_does_not_fit(disk, train, words, capsys):
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
    assert as_root('mount', '-o', f'remount,size={CHECKPOINT * 5}', work_dir.parent)
    train_here(words(work_dir, 'default_hooks.checkpoint.interval=6', '--resume'))
    assert read_checkpoint(work_dir / 'iter_6.pth')['meta']['iter'] == 6


@pytest.mark.long
@pytest.mark.parametrize('left', [
    pytest.param(4096, id='config'), pytest.param(10 * 4096, id='log')])
def test_anything_else_that_does_not_fit(disk, train, left):
    folder = disk(MIB)
    (folder / 'others').write_bytes(bytes(MIB - left))
    status, said = train(folder / 'run', 'default_hooks.logger.interval=1',
                         'default_hooks.checkpoint.interval=100')
    assert status == 1
    assert said.startswith(f'error: {folder / "run"}: ')
    assert 'No space left on device' in said


@pytest.mark.long
def test_detections_that_do_not_fit(disk, checkpoint, shapes_root, tmp_path):
    def words(out):
        return [str(shapes_root / 'JPEGImages'), checkpoint, '-o', str(out), '--device',
                'cpu', '--score-thr', '0.05', '--batch-size', '2', '--resume']
    detect(words(tmp_path / 'whole'))
    out = disk(MIB // 2) / 'out'
    with pytest.raises(CannotWriteError, match=f'{out.parent}.*No space left'):
        detect(words(out))
    lines = (out / 'detections.jsonl').read_bytes().count(b'\n')
    assert 0 < lines < 34
    assert as_root('mount', '-o', f'remount,size={40 * MIB}', out.parent)
    detect(words(out))
    for file in (tmp_path / 'whole').iterdir():
        assert (out / file.name).read_bytes() == file.read_bytes()


@pytest.fixture
def log(tmp_path):
    """Logs into a file of the run; ``/dev/full`` is as good as a full disk."""
    def write(place: str, message: str = 'text', *args) -> None:
        path = tmp_path / place
        path.parent.mkdir(exist_ok=True)
        path.symlink_to('/dev/full')
        handler = logging.FileHandler(path)
        try:
            handler.handle(logging.LogRecord('a', 20, 'a.py', 1, message, args, None))
        finally:
            handler.stream = None  # what could not be written cannot be closed
    return write


def test_only_the_logs_of_the_run_that_find_no_room_are_silent(log, tmp_path, capsys):
    shown = logging.raiseExceptions
    with explain_full_disk(str(tmp_path / 'run')):
        log('run/a.log')
        assert capsys.readouterr().err == '' and logging.raiseExceptions is shown
        log('run/b.log', '%d', 'no number')
        assert 'Logging error' in capsys.readouterr().err
        log('elsewhere/a.log')
        assert 'No space left' in capsys.readouterr().err
    log('run/c.log')
    assert 'No space left' in capsys.readouterr().err


def test_only_the_end_of_the_disk_is_explained(tmp_path):
    with (pytest.raises(UserError, match=r'run: nothing more can .*free some space'),
          explain_full_disk('run')):
        raise OSError(errno.ENOSPC, 'No space left on device')
    with pytest.raises(PermissionError), explain_full_disk('run'):
        raise PermissionError(errno.EACCES, 'Permission denied')

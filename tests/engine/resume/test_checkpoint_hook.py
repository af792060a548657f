"""Checkpoints are whole or absent, and the last good one stays."""

import os
import re
import resource
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.logging import MessageHub

from frcnn_plugin.commands.train import train
from frcnn_plugin.engine.resume.checkpoint_hook import (
    CheckpointHook,
    forget_foreign_checkpoints,
)
from frcnn_plugin.engine.resume.latest_checkpoint import check_resumable, find_latest
from frcnn_plugin.engine.whole_files_backend import WholeFilesBackend
from frcnn_plugin.errors import NoResumableCheckpointError, NotResumableError
from frcnn_plugin.io.weights_only import load_weights_only


def names(folder) -> set[str]:
    return {path.name for path in folder.iterdir() if path.is_file()}


def test_an_old_file_goes_when_the_new_one_is_there(tmp_path):
    old, again = tmp_path / 'old.pth', tmp_path / 'again.pth'
    hook = CheckpointHook()
    hook.file_backend = files = WholeFilesBackend()
    with hook._replacing(SimpleNamespace(), keep=str(again)):
        for path in (old, again):
            files.put(b'', path)
            files.remove(str(path))
        assert names(tmp_path) == {'old.pth', 'again.pth'}
    assert names(tmp_path) == {'again.pth'}
    files.remove(str(again))  # as ever outside the block
    assert not names(tmp_path)


def test_a_config_that_names_the_stock_hook_gets_ours():
    cfg = Config(dict(type='CheckpointHook', interval=2)).copy()
    from frcnn_plugin.registry import HOOKS
    assert type(HOOKS.build(cfg)) is CheckpointHook


@pytest.fixture
def run(small, tmp_path):
    """Two steps, with a checkpoint after each, and one kept."""
    arguments = small('--seed', '0', '--max-iters', '2')
    arguments += ['default_hooks.checkpoint.interval=1',
                  'default_hooks.checkpoint.max_keep_ckpts=1']
    train(arguments)
    return tmp_path / 'run', arguments


def test_one_is_kept_and_found(run):
    folder, _ = run
    assert {name for name in names(folder) if name.endswith('.pth')} == {'iter_2.pth'}
    path, content = find_latest(folder, pytest.fail)
    assert path == str(folder / 'iter_2.pth') and content['meta']['iter'] == 2


def test_a_damaged_newest_one_is_skipped(run, small, capsys):
    folder, arguments = run
    damaged = folder / 'iter_3.pth'
    damaged.write_bytes((folder / 'iter_2.pth').read_bytes()[:5000])
    (folder / 'last_checkpoint').write_text(str(damaged))
    train([arguments[0], '--resume', *arguments[1:]])
    shown = capsys.readouterr().out
    assert f'warning: {damaged}: ' in shown and 'skipped' in shown
    assert find_latest(folder, lambda line: None)[0] == str(folder / 'iter_2.pth')


@pytest.mark.parametrize('pointer', [b'', b'/nowhere/iter_9.pth'])
def test_a_pointer_to_nothing_is_no_obstacle(run, pointer):
    folder, _ = run
    (folder / 'last_checkpoint').write_bytes(pointer)
    assert find_latest(folder, pytest.fail)[0] == str(folder / 'iter_2.pth')


def test_all_damaged(tmp_path):
    (tmp_path / 'iter_1.pth').write_bytes(b'PK')
    with pytest.raises(NoResumableCheckpointError, match=r'1 tried.*iter_1\.pth'):
        find_latest(tmp_path, lambda line: None)
    assert find_latest(tmp_path / 'nothing', pytest.fail) is None


def test_weights_alone_are_no_run(tmp_path):
    with pytest.raises(NotResumableError, match='weights only, without optimizer'):
        check_resumable(dict(meta={}, message_hub={}), tmp_path / 'a.pth')


@pytest.mark.long
@pytest.mark.skipif(sys.platform != 'linux', reason='limits of Linux')
def test_a_disk_that_fills_up(run, repo):
    """A quota of 1 MB a file: the next checkpoint does not fit."""
    folder, arguments = run
    arguments[arguments.index('2')] = '4'
    before = (folder / 'iter_2.pth').read_bytes()
    done = subprocess.run(
        [sys.executable, repo / 'tools/train.py', arguments[0], '--resume',
         *arguments[1:]], text=True, capture_output=True,
        env=dict(os.environ, OMP_NUM_THREADS='1'),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10**6, 10**6)))
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(f'error: {folder}: no checkpoint can be written at iter')
    assert 'File too large' in last and '--resume' in last
    assert 'Traceback' not in done.stderr
    assert (folder / 'iter_2.pth').read_bytes() == before
    assert not list(folder.glob('.*.part')) and not (folder / 'iter_3.pth').exists()
    assert find_latest(folder, pytest.fail)[0] == str(folder / 'iter_2.pth')


@pytest.mark.parametrize(('window', 'interval', 'due'), [
    (1, 2, [2, 4, 6]), (2, 2, [2, 4, 6]), (2, 1, [2, 4, 6]), (2, 3, [4, 6]),
    (3, 2, [3, 6]), (4, 1, [4]), (1, -1, [])])
def test_no_checkpoint_between_gradients_that_belong_together(window, interval, due):
    hook = CheckpointHook(interval=interval, by_epoch=False)
    runner = SimpleNamespace(optim_wrapper=SimpleNamespace(_accumulative_counts=window))
    found = []
    for runner.iter in range(6):
        if hook.every_n_train_iters(runner, interval):
            found.append(runner.iter + 1)
    assert found == due


def test_only_files_of_this_work_dir_are_ever_removed(tmp_path):
    """What a checkpoint names may be anywhere, and may be a folder."""
    hub = MessageHub.get_instance('test_only_files')
    inside = str(tmp_path / 'best_mAP_iter_1.pth')
    hub.update_info('best_ckpt', str(tmp_path / 'other/best_mAP_iter_1.pth'))
    hub.update_info('best_ckpt_mAP', inside)
    hub.update_info('best_ckpt_loss', str(tmp_path))
    hub.update_info('keep_ckpt_ids', ['../../x'])
    forget_foreign_checkpoints(SimpleNamespace(message_hub=hub, work_dir=str(tmp_path)))
    assert [hub.get_info(name) for name in (
        'best_ckpt', 'best_ckpt_mAP', 'best_ckpt_loss', 'keep_ckpt_ids')] == [
            None, inside, None, []]


def test_a_best_checkpoint_elsewhere_outlives_a_better_one(small, tmp_path):
    """The best file of a run does not belong to a copy of the run that continues."""
    options = ['train_cfg.val_interval=1', 'default_hooks.checkpoint.interval=1']
    train([*small('--seed', '0', work_dir='first'), 'train_cfg.max_iters=1', *options])
    content = load_weights_only(tmp_path / 'first/iter_1.pth')
    known = content['message_hub']['runtime_info']
    best = next((tmp_path / 'first').glob('best_*.pth'))
    known['best_ckpt'], known['best_score'] = str(best), -1.0
    path = tmp_path / 'copied.pth'
    torch.save(content, path)
    train([*small('--resume', str(path), work_dir='second'), 'train_cfg.max_iters=2',
           *options])
    assert best.is_file()
    assert list((tmp_path / 'second').glob('best_*.pth'))


def test_neither_the_best_nor_the_detector_is_resumed_from(run):
    folder, _ = run
    for name in ('best_mAP_iter_1.pth', 'detector.pth'):  # newer than the others
        shutil.copyfile(folder / 'iter_2.pth', folder / name)
    assert find_latest(folder, pytest.fail)[0] == str(folder / 'iter_2.pth')


def test_a_validation_that_measures_nothing(small, tmp_path, shapes_root):
    """Without an object there is no AP; the training goes on, and ends."""
    root = shutil.copytree(shapes_root, tmp_path / 'shapes')
    for path in (root / 'Annotations').glob('val_*.xml'):
        path.write_text(re.sub('<object>.*</object>', '', path.read_text(), flags=re.S))
    words = small('--max-iters', '1')
    words[words.index('--data-root') + 1] = str(root)
    train([*words, 'train_cfg.val_interval=1', 'default_hooks.checkpoint.rule=greater',
           'default_hooks.checkpoint.save_best=coco/AP',
           'val_dataloader.dataset.allow_missing_classes=True'])
    assert (tmp_path / 'run/iter_1.pth').is_file()
    assert not list((tmp_path / 'run').glob('best_*'))


def test_a_validation_without_a_best_one(small, tmp_path):
    """As in mmdet's ``default_runtime.py``."""
    train([*small('--max-iters', '1'), 'train_cfg.val_interval=1',
           'default_hooks.checkpoint.save_best=None'])
    assert (tmp_path / 'run/iter_1.pth').is_file()

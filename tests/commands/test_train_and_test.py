import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from helpers import free_port

from frcnn_plugin.commands.test import test as run_test
from frcnn_plugin.commands.train import train
from frcnn_plugin.errors import UserError
from frcnn_plugin.io.weights_only import load_weights_only


@pytest.fixture
def trained(small, tmp_path):
    """The checkpoint of three steps."""
    train(small('--max-iters', '3', '--seed', '0'))
    return tmp_path / 'run' / 'iter_3.pth'


def test_train_then_test_prints_a_table_and_writes_metrics(
        small, trained, tmp_path, capsys):
    pictures, dump = tmp_path / 'pictures', tmp_path / 'out.pkl'
    arguments = small('--show-dir', str(pictures), '--out', str(dump))
    summary = run_test([arguments[0], str(trained), *arguments[1:]])
    printed = capsys.readouterr().out
    written = json.loads((tmp_path / 'run' / 'metrics.json').read_text())
    assert written == summary and 0 <= written['mAP'] <= 1
    assert set(written['per_class']) <= {'circle', 'square', 'triangle', 'star'}
    for name in written['per_class']:
        assert name in printed
    assert f'mAP {written["mAP"]:.4f}' in printed
    assert set(written['AP_per_class']) == set(written['per_class'])
    for name in ('AP50_coco', 'AP', 'AP75'):
        low, high = written['intervals'][name]
        assert 0 <= low <= high <= 1 and 0 <= written[name] <= 1
    for column in ('AP50 (VOC)', 'AP', 'AP75', '95 % interval'):
        assert column in printed
    assert f'{low:.3f} to {high:.3f}' in printed
    assert len(list(pictures.glob('*.jpg'))) == 6 and dump.is_file()


def test_loss_lines_tell_the_losses_and_the_time_left(small, trained, tmp_path):
    (log,) = (tmp_path / 'run').glob('*/*.log')
    lines = [line for line in log.read_text().splitlines() if 'Iter(train)' in line]
    assert len(lines) == 3
    for name in ('loss_rpn_cls', 'loss_rpn_bbox', 'loss_cls', 'loss_bbox', 'eta'):
        assert f'{name}: ' in lines[-1]
        assert f'{name}: nan' not in lines[-1]


def test_the_same_seed_gives_the_same_weights(small, trained, tmp_path):
    train(small('--max-iters', '3', '--seed', '0', work_dir='again'))
    first, again = (load_weights_only(path)['state_dict'] for path in
                    (trained, tmp_path / 'again' / 'iter_3.pth'))
    assert all(torch.equal(value, again[name]) for name, value in first.items())


def test_a_distributed_job_leaves_its_group(small, trained, monkeypatch):
    """One that does not may be aborted when it ends, by the threads of gloo."""
    for name, value in dict(RANK=0, WORLD_SIZE=1, LOCAL_RANK=0, MASTER_ADDR='127.0.0.1',
                            MASTER_PORT=free_port()).items():
        monkeypatch.setenv(name, str(value))
    config, *rest = small('--launcher', 'pytorch')
    for run, arguments in ((train, [config, '--max-iters', '1', *rest]),
                           (run_test, [config, str(trained), *rest])):
        run(arguments)
        assert not torch.distributed.is_initialized()
        names = [path.read_text() for path in Path('/proc/self/task').glob('*/comm')]
        assert not [name for name in names if 'gloo' in name]


def test_resume_goes_on_where_it_stopped(small, trained, tmp_path):
    train(small('--max-iters', '5', '--resume'))
    content = load_weights_only(tmp_path / 'run' / 'iter_5.pth')
    assert content['meta']['iter'] == 5
    shutil.rmtree(tmp_path / 'other', ignore_errors=True)
    train(small('--max-iters', '4', '--resume', str(trained), work_dir='other'))
    assert (tmp_path / 'other' / 'iter_4.pth').is_file()


def test_checkpoints_that_training_cannot_continue_from(small, trained, tmp_path):
    torch.save(load_weights_only(trained)['state_dict'], tmp_path / 'w.pth')
    with pytest.raises(UserError, match='holds weights only'):
        train(small('--resume', str(tmp_path / 'w.pth')))
    with pytest.raises(UserError, match='wrong number of classes'):
        train(small('--resume', '--classes', 'star', 'circle', '--max-iters', '5'))
    trained.write_bytes(trained.read_bytes()[:1000])
    with pytest.raises(UserError, match=r'iter_3.pth: (damaged|refused)'):
        train(small('--resume'))


def test_validation_and_the_best_checkpoint(small, tmp_path):
    train([*small('--max-iters', '2'), 'train_cfg.val_interval=2'])
    assert list((tmp_path / 'run').glob('best_*mAP*.pth'))


def test_other_classes_without_touching_the_config(small, trained, tmp_path):
    train(small('--max-iters', '1', '--classes', 'star', 'circle', work_dir='two'))
    weights = load_weights_only(tmp_path / 'two' / 'iter_1.pth')
    state = weights['state_dict']
    assert state['roi_head.bbox_head.fc_cls.weight'].shape[0] == 3
    arguments = small('--classes', 'star', 'circle', '--split', 'val', work_dir='two')
    summary = run_test(
        [arguments[0], str(tmp_path / 'two' / 'iter_1.pth'), *arguments[1:]])
    assert set(summary['per_class']) == {'star', 'circle'}
    arguments = small('--classes', 'star', 'circle')
    with pytest.raises(UserError, match=r'fc_cls.*wrong number of classes'):
        run_test([arguments[0], str(trained), *arguments[1:]])


@pytest.mark.parametrize('content, says', [
    (dict(state_dict={'a.weight': torch.ones(2)}), 'does not match the'),
    (['no', 'dict'], 'no state dict'), (torch.ones(2), 'no state dict'),
    (dict(state_dict={1: torch.ones(2)}), 'no state dict'),
    (None, 'no such file'), (b'', 'damaged'), (b'hello world', r'refused|damaged')])
def test_a_checkpoint_that_does_not_fit(small, tmp_path, content, says):
    path = tmp_path / 'a.pth'
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    arguments = small()
    with pytest.raises(UserError, match=says):
        run_test([arguments[0], str(path), *arguments[1:]])


@pytest.mark.parametrize('extra, says', [
    (['--data-root', '/nowhere'], '/nowhere: no such folder'),
    (['--classes', 'cat'], 'no image is left'),
    (['--classes', 'star', 'star'], 'given twice'),
    (['--seed', '-1'], 'must be from 0'),
    (['--max-iters', '0'], 'at least 1'), (['--amp'], 'needs a GPU'),
    (['--resume', '/nowhere.pth'], 'no such file'),
    (['--launcher', 'pytorch'], 'torchrun'), (['--cfg-options', 'a'], 'KEY=VALUE')])
def test_mistakes_are_one_line(small, extra, says, monkeypatch):
    monkeypatch.delenv('RANK', raising=False)
    monkeypatch.setattr('frcnn_plugin.accelerate.precision.has_bfloat16', lambda: False)
    arguments = small()
    with pytest.raises(UserError, match=says) as caught:
        train([*arguments[:arguments.index('--cfg-options')], *extra])
    assert '\n' not in str(caught.value)


def test_a_missing_config():
    with pytest.raises(UserError, match='no such config'):
        train(['configs/nothing.py'])


@pytest.mark.long
def test_the_script_ends_with_one_line_and_status_1(repo, small):
    done = subprocess.run(
        [sys.executable, str(repo / 'tools/train.py'), *small('--data-root', '/nowhere')
         [:3]], capture_output=True, text=True, cwd=repo)
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith('error: /nowhere: no such')
    assert 'Traceback' not in done.stderr

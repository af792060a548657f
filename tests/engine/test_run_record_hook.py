"""What a run took is in its checkpoints, and goes on with them."""

from types import SimpleNamespace

import pytest
from mmengine.config import Config
from mmengine.logging import MessageHub

from frcnn_plugin.engine import run_record_hook
from frcnn_plugin.engine.run_record_hook import (
    KEY,
    RunRecordHook,
    peak_memory,
    precision_of,
)


@pytest.fixture
def runner(tmp_path):
    file = tmp_path / 'where.py'
    file.touch()
    return SimpleNamespace(
        message_hub=MessageHub('record'), seed=7, iter=0, cfg=Config(
            dict(command='frcnn train x', optim_wrapper=dict(type='AmpOptimWrapper')),
            filename=file))


def record_after(steps: int, runner: SimpleNamespace) -> dict:
    """Train so many steps of three images and a validation, then save."""
    hook, checkpoint = RunRecordHook(), dict(meta=dict(iter=runner.iter + steps))
    hook.before_train(runner)
    for _ in range(steps):
        hook.after_train_iter(runner, runner.iter, dict(inputs=[None] * 3))
    hook.after_val_iter(runner, 0)
    hook.before_save_checkpoint(runner, checkpoint)
    return checkpoint['meta'][KEY]


def test_a_resumed_run_counts_on(runner, monkeypatch):
    now = iter(range(0, 1000, 10))
    monkeypatch.setattr(run_record_hook, 'monotonic', lambda: next(now))
    peaks = iter([5, 9, 7, 3, 3, 2, 1, 4])  # in GiB; mmengine resets it now and then
    monkeypatch.setattr(run_record_hook, 'peak_memory', lambda: next(peaks) * 2**30)
    record = record_after(4, runner)
    assert (record['steps'], record['images'], record['seconds']) == (4, 12, 50)
    assert (record['command'], record['config']) == ('frcnn train x', 'where.py')
    assert (record['seed'], record['precision']) == (7, 'float16')
    assert record['memory_mib'] == 9 * 1024 and record['hardware']
    again = SimpleNamespace(**vars(runner))  # with the message hub of the checkpoint
    again.message_hub, again.iter = MessageHub('again'), 4
    again.message_hub.load_state_dict(runner.message_hub.state_dict())
    again.cfg.command = 'frcnn train x --resume'
    next(now)  # it was not running in between
    record = record_after(2, again)
    assert (record['steps'], record['images'], record['seconds']) == (6, 18, 80)
    assert record['command'] == 'frcnn train x && frcnn train x --resume'
    assert record['memory_mib'] == 9 * 1024


@pytest.mark.parametrize(('wrapper', 'precision'), [
    (dict(type='OptimWrapper'), 'float32'),
    (dict(type='frcnn_plugin.BF16OptimWrapper'), 'bfloat16'),
    (dict(type='AmpOptimWrapper', dtype='bfloat16'), 'bfloat16'),
    (dict(type='AmpOptimWrapper', loss_scale='dynamic'), 'float16')])
def test_what_it_computed_in(wrapper, precision):
    assert precision_of(wrapper) == precision


def test_the_memory_of_this_process():
    assert 2**26 < peak_memory() < 2**36

"""Training for a time, on a clock that only steps and validations advance."""

import numpy as np
import pytest
from mmengine.hooks import Hook
from mmengine.runner import ValLoop

from frcnn_plugin.commands.train import train
from frcnn_plugin.datasets.batch_random_scale import share_of_training
from frcnn_plugin.engine import IterBasedTrainLoop, timed_train_loop
from frcnn_plugin.engine.detector_file_hook import best_checkpoint
from frcnn_plugin.engine.timed_train_loop import CLOSING, SPENT_KEY, TimedTrainLoop
from frcnn_plugin.errors import ConfigError, SettingError
from frcnn_plugin.io.checkpoints import read_checkpoint
from frcnn_plugin.registry import HOOKS

CONFIG = """
_base_ = {base!r}
train_cfg = dict(_delete_=True, type='TimedTrainLoop', minutes=5)
param_scheduler = None
default_hooks = dict(checkpoint=dict(interval=3),
                     detector_file=dict(type='DetectorFileHook'))
"""


@HOOKS.register_module()
class WorseEachTime(Hook):
    """Makes each validation worse than the one before."""

    priority = 'HIGH'

    def after_val_epoch(self, runner, metrics=None) -> None:
        metrics['pascal_voc/mAP'] = 1 / runner.iter


class Clock:
    """Tells the seconds that steps and validations are said to take."""

    def __init__(self) -> None:
        self.now, self.step, self.validation = 1000.0, 20.0, 30.0
        self.steps, self.rates, self.validated, self.killed = 0, [], [], None

    def __call__(self) -> float:
        return self.now

    def run_iter(self, loop, batch) -> None:
        if self.killed is not None and self.steps >= self.killed:
            raise KeyboardInterrupt
        self.rates.append(loop.runner.optim_wrapper.get_lr()['lr'][0])
        self.now += self.step
        self.steps += 1
        self.original(loop, batch)

    def validate(self, loop) -> dict:
        self.now += self.validation
        self.validated.append(self.steps)
        return self.original_val(loop)


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    clock.original, clock.original_val = IterBasedTrainLoop.run_iter, ValLoop.run
    monkeypatch.setattr(timed_train_loop, 'monotonic', clock)
    monkeypatch.setattr(TimedTrainLoop, 'run_iter',
                        lambda loop, batch: clock.run_iter(loop, batch))
    monkeypatch.setattr(ValLoop, 'run', lambda loop: clock.validate(loop))
    monkeypatch.setattr('frcnn_plugin.commands.train.monotonic', lambda: clock.now)
    monkeypatch.setattr('frcnn_plugin.commands.train.STARTED', clock.now)
    return clock


@pytest.fixture
def timed(small, tmp_path):
    """Arguments of a run of five minutes."""
    def arguments(*extra: str) -> list[str]:
        base, *rest = small(*extra)
        config = tmp_path / 'timed.py'
        config.write_text(CONFIG.format(base=base))
        return [str(config), *rest]
    return arguments


@pytest.mark.long
def test_batches_are_told_the_share_of_the_time(timed, clock, monkeypatch):
    shares, run = [], IterBasedTrainLoop.run_iter
    clock.original = lambda loop, batch: (run(loop, batch),
                                          shares.append(share_of_training()))
    train(timed('--seed', '0'))
    assert shares[0] == 0 and 0.9 < shares[-1] < 1
    assert all(np.diff(shares) > 0) and len(shares) > 10
    # another loop that goes on from there counts its steps again
    monkeypatch.setattr(IterBasedTrainLoop, 'run_iter', clock.original)
    steps = len(shares)
    train(timed('--resume', '--max-iters', str(steps + 2)))
    assert shares[steps:] == [steps / (steps + 2), (steps + 1) / (steps + 2)]


def test_it_ends_in_time_with_its_validation(timed, clock, tmp_path):
    train(timed('--seed', '0'))
    assert 0.9 * 300 <= clock.now - 1000 + CLOSING <= 1.05 * 300
    assert clock.validated[-1] == clock.steps
    # the rate rises, falls, and has fallen when the time is over
    top = int(np.argmax(clock.rates))
    assert top <= 2 and clock.rates[-1] < 0.05 * clock.rates[top]
    assert all(np.diff(clock.rates[top:]) < 0)
    run = tmp_path / 'run'
    assert (run / 'last_checkpoint').read_text().endswith(f'iter_{clock.steps}.pth')
    detector = read_checkpoint(run / 'detector.pth')
    assert detector['meta']['iter'] == clock.steps
    assert 'pascal_voc/mAP' in detector['meta']['metrics']
    assert set(detector) == {'state_dict', 'meta'}


def test_a_slower_machine_makes_fewer_steps(timed, clock):
    clock.step = 50.0
    train(timed('--seed', '0'))
    assert clock.steps == 5 and 0.9 * 300 <= clock.now - 1000 + CLOSING <= 1.05 * 300


@pytest.mark.long
def test_validated_on_the_way_and_the_best_is_kept(timed, clock, tmp_path):
    clock.step, clock.validation = 10.0, 5.0
    train(timed('--cfg-options', 'train_cfg.validate_at=[0.5]',
                'default_hooks.worse.type=WorseEachTime'))
    assert len(clock.validated) == 2 and (
        0.4 < clock.validated[0] / clock.steps < 0.6)
    meta = read_checkpoint(tmp_path / 'run/detector.pth')['meta']
    assert meta['iter'] == clock.validated[0]
    assert meta['metrics']['pascal_voc/mAP'] == 1 / meta['iter']


def test_without_validation_the_last_is_kept(timed, clock, tmp_path):
    words = [word for word in timed() if 'val_dataloader.' not in word]
    train([*words, 'val_dataloader=None', 'val_cfg=None', 'val_evaluator=None',
           'default_hooks.checkpoint.save_best=None'])
    meta = read_checkpoint(tmp_path / 'run/detector.pth')['meta']
    assert meta['iter'] == clock.steps > 10 and meta['metrics'] == {}


def test_resumed_with_the_minutes_that_are_left(timed, clock, tmp_path, monkeypatch):
    clock.killed = 7
    with pytest.raises(KeyboardInterrupt):
        train(timed('--seed', '0'))
    saved = read_checkpoint(tmp_path / 'run/iter_6.pth')
    spent = saved['message_hub']['runtime_info'][SPENT_KEY]
    assert 5 * clock.step <= spent <= 6 * clock.step
    clock.killed, clock.steps, before = None, 6, clock.now
    monkeypatch.setattr('frcnn_plugin.commands.train.STARTED', before)
    train(timed('--resume'))
    assert 0.9 * 300 <= clock.now - before + spent + CLOSING <= 1.05 * 300


@pytest.mark.long
def test_a_finished_run_is_not_trained_further(timed, clock, tmp_path):
    train(timed('--seed', '0'))
    steps, detector = clock.steps, tmp_path / 'run/detector.pth'
    before = read_checkpoint(detector)['meta']['metrics']
    detector.unlink()
    train(timed('--resume'))
    assert clock.steps == steps
    assert read_checkpoint(detector)['meta']['metrics'] == before


def test_no_minutes(timed, clock):
    with pytest.raises(SettingError, match='minutes is 0'):
        train(timed('--cfg-options', 'train_cfg.minutes=0'))
    with pytest.raises(SettingError, match='max_iters is 5; it trains for a time'):
        train(timed('--cfg-options', 'train_cfg.max_iters=5'))


def test_minutes_of_a_config_for_steps(small):
    with pytest.raises(ConfigError, match='number of steps'):
        train(small('--minutes', '3'))


def test_the_best_by_several_metrics():
    assert best_checkpoint({'best_ckpt': 'a', 'best_ckpt_mAP': 'b'}) == 'a'
    assert best_checkpoint({'best_ckpt_AP': None, 'best_ckpt_mAP': 'b',
                            'best_ckpt_loss': 'c'}) == 'b'
    assert best_checkpoint({}) is None

import pytest
from mmengine.config import Config

from frcnn_plugin.config.files import load_config
from frcnn_plugin.config.schedule import set_max_iters, share


@pytest.fixture
def cfg(repo):
    return load_config(str(repo / 'configs/frcnn_r50_c4_voc.py'))


def test_a_trial_is_validated_at_the_interval_only(cfg):
    set_max_iters(cfg, 20)
    assert cfg.train_cfg.max_iters == 20 < cfg.train_cfg.val_begin
    assert cfg.default_hooks.logger.interval == 2


def test_a_longer_run_is_validated_as_the_config_says(cfg):
    set_max_iters(cfg, 12000)
    assert cfg.train_cfg.val_begin == 1 and cfg.train_cfg.val_interval == 5000


def test_a_trial_keeps_the_schedules_of_the_whole_run(repo):
    """So that the whole run can be resumed from the trial."""
    cfg = load_config(str(repo / 'configs/frcnn_r50_c4_voc.py'))
    set_max_iters(cfg, 20)
    assert [scheduler.end for scheduler in cfg.param_scheduler] == [500, 55000]


@pytest.mark.parametrize('total', [4, 5, 17, 100, 1200])
def test_a_trial_is_shared_among_the_steps(total):
    whole = [200, 700, 150, 150]
    shares = share(total, whole)
    assert sum(shares) == total and min(shares) >= 1
    for part, step in zip(shares, whole, strict=True):
        assert abs(part - total * step / 1200) <= 2


def test_a_trial_of_the_four_steps_keeps_their_schedules(repo):
    cfg = load_config(str(repo / 'configs/frcnn_r50_c4_alternating_voc.py'))
    set_max_iters(cfg, 20)
    assert cfg.train_cfg.steps == [5, 5, 5, 5] and cfg.train_cfg.val_begin == 21
    assert [scheduler.end for scheduler in cfg.param_scheduler] == [500, 40000]


def test_a_config_without_default_hooks():
    """mmengine would add its own, which count epochs."""
    cfg = Config(dict(train_cfg=dict(type='EpochBasedTrainLoop', max_epochs=2)))
    set_max_iters(cfg, 30)
    assert cfg.default_hooks.logger == dict(type='LoggerHook', interval=3)
    assert cfg.default_hooks.checkpoint == dict(
        type='CheckpointHook', interval=30, by_epoch=False)
    assert cfg.log_processor.by_epoch is False
    cfg.default_hooks.checkpoint = None
    set_max_iters(cfg, 30)
    assert cfg.default_hooks.checkpoint is None

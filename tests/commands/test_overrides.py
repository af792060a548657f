import pytest

from frcnn_plugin.commands import overrides
from frcnn_plugin.utils.errors import UserError


@pytest.fixture
def cfg(repo):
    return overrides.load_config(str(repo / 'configs/frcnn_r50_c4_voc.py'))


def test_data_root_reaches_every_loader(cfg):
    overrides.set_data_root(cfg, 'elsewhere')
    for name in overrides.LOADERS:
        assert cfg[name].dataset.data_root == 'elsewhere'


def test_data_root_reaches_wrapped_datasets(cfg):
    cfg.train_dataloader.dataset = dict(
        type='RepeatDataset', times=2, dataset=cfg.train_dataloader.dataset)
    overrides.set_data_root(cfg, 'elsewhere')
    assert cfg.train_dataloader.dataset.dataset.data_root == 'elsewhere'


def test_classes_reach_heads_and_datasets_but_not_the_rpn(cfg):
    cfg.model.rpn_head.num_classes = 1
    overrides.set_classes(cfg, ['a', 'b'])
    assert cfg.model.roi_head.bbox_head.num_classes == 2
    assert cfg.model.rpn_head.num_classes == 1
    for name in overrides.LOADERS:
        assert cfg[name].dataset.metainfo.classes == ('a', 'b')


def test_a_trial_is_validated_at_the_interval_only(cfg):
    overrides.set_max_iters(cfg, 20)
    assert cfg.train_cfg.max_iters == 20 < cfg.train_cfg.val_begin
    assert cfg.default_hooks.logger.interval == 2


def test_a_longer_run_is_validated_as_the_config_says(cfg):
    overrides.set_max_iters(cfg, 12000)
    assert cfg.train_cfg.val_begin == 1 and cfg.train_cfg.val_interval == 5000


def test_a_trial_keeps_the_schedules_of_the_whole_run(repo):
    """So that the whole run can be resumed from the trial."""
    cfg = overrides.load_config(str(repo / 'configs/frcnn_r50_c4_voc.py'))
    overrides.set_max_iters(cfg, 20)
    assert [scheduler.end for scheduler in cfg.param_scheduler] == [500, 55000]


def test_options_without_a_place(repo):
    with pytest.raises(UserError, match='do not fit'):
        overrides.load_config(str(repo / 'configs/frcnn_r50_c4_voc.py'),
                              {'model.backbone.depth.x': 1})


def test_a_part_of_a_config_is_no_config(repo):
    with pytest.raises(UserError, match=r'has no model.*a part for other'):
        overrides.load_config(str(repo / 'configs/_base_/default_runtime.py'))


@pytest.mark.parametrize('total', [4, 5, 17, 100, 1200])
def test_a_trial_is_shared_among_the_steps(total):
    whole = [200, 700, 150, 150]
    shares = overrides.share(total, whole)
    assert sum(shares) == total and min(shares) >= 1
    for share, step in zip(shares, whole, strict=True):
        assert abs(share - total * step / 1200) <= 2


def test_a_trial_of_the_four_steps_keeps_their_schedules(repo):
    cfg = overrides.load_config(str(repo / 'configs/frcnn_r50_c4_alternating_voc.py'))
    overrides.set_max_iters(cfg, 20)
    assert cfg.train_cfg.steps == [5, 5, 5, 5] and cfg.train_cfg.val_begin == 21
    assert [scheduler.end for scheduler in cfg.param_scheduler] == [500, 40000]

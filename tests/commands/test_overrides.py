import pytest

from frcnn_plugin.backbones.pretrained import WeightsUnreachable
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


def unreachable(source):
    raise WeightsUnreachable(f'{source} is far')


def test_weights_that_can_not_be_had_stop_a_run_and_not_a_trial(cfg, monkeypatch):
    monkeypatch.setattr(overrides, 'read_weights', unreachable)
    said = []
    with pytest.raises(WeightsUnreachable):
        overrides.settle_pretrained(cfg, False, False, said.append)
    overrides.settle_pretrained(cfg, False, True, said.append)
    assert 'ERROR' in said[0] and 'from scratch' in said[0]
    assert cfg.model.backbone.init_cfg is None


def test_pretrained_reaches_both_halves(cfg, repo):
    overrides.set_pretrained(cfg, 'mine.pth')
    assert cfg.model.backbone.init_cfg.checkpoint == 'mine.pth'
    assert cfg.model.roi_head.shared_head.init_cfg.checkpoint == 'mine.pth'
    shapes = overrides.load_config(str(repo / 'configs/frcnn_r18_c4_shapes.py'))
    with pytest.raises(UserError, match='nothing in this config'):
        overrides.set_pretrained(shapes, 'mine.pth')


def test_from_scratch_trains_everything(cfg):
    overrides.settle_pretrained(cfg, True, False, print)
    for part in (cfg.model.backbone, cfg.model.roi_head.shared_head):
        assert part.init_cfg is None and part.norm_requires_grad
        assert not part.norm_eval
    assert cfg.model.backbone.frozen_stages == -1


def test_schedules_that_begin_after_the_end_are_dropped(repo):
    cfg = overrides.load_config(str(repo / 'configs/frcnn_r18_c4_shapes.py'))
    overrides.set_max_iters(cfg, 20)
    assert [scheduler.type for scheduler in cfg.param_scheduler] == ['LinearLR']

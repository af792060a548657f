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


def test_a_run_stops_without_its_weights_and_a_trial_goes_on(
        cfg, monkeypatch, capsys):
    monkeypatch.setattr(overrides, 'read_weights', unreachable)
    with pytest.raises(WeightsUnreachable):
        overrides.settle_pretrained(cfg, False, trial=False)
    overrides.settle_pretrained(cfg, False, trial=True)
    said = capsys.readouterr().out
    assert 'ERROR' in said and 'from scratch' in said
    assert cfg.model.backbone.init_cfg is None


def test_pretrained_reaches_both_halves(cfg, repo):
    overrides.set_pretrained(cfg, 'mine.pth')
    assert cfg.model.backbone.init_cfg.checkpoint == 'mine.pth'
    assert cfg.model.roi_head.shared_head.init_cfg.checkpoint == 'mine.pth'
    shapes = overrides.load_config(str(repo / 'configs/frcnn_r18_c4_shapes.py'))
    with pytest.raises(UserError, match='nothing in this config'):
        overrides.set_pretrained(shapes, 'mine.pth')


def test_from_scratch_trains_everything(cfg):
    overrides.settle_pretrained(cfg, True, trial=False)
    for part in (cfg.model.backbone, cfg.model.roi_head.shared_head):
        assert part.init_cfg is None and part.norm_requires_grad
        assert not part.norm_eval
    assert cfg.model.backbone.frozen_stages == -1


def test_a_trial_keeps_the_schedules_of_the_whole_run(repo):
    """So that the whole run can be resumed from the trial."""
    cfg = overrides.load_config(str(repo / 'configs/frcnn_r50_c4_voc.py'))
    overrides.set_max_iters(cfg, 20)
    assert [scheduler.end for scheduler in cfg.param_scheduler] == [500, 55000]


def test_a_run_from_scratch_is_resumed_as_one(cfg):
    overrides.train_from_scratch(cfg)
    again = cfg.copy()
    fresh = overrides.load_config(cfg.filename)
    overrides.start_from_checkpoint(fresh, dict(cfg=again.pretty_text), False)
    assert fresh.model == cfg.model
    plain = overrides.load_config(cfg.filename)
    overrides.start_from_checkpoint(plain, dict(cfg=plain.pretty_text), False)
    assert plain.model.backbone.init_cfg is None
    assert plain.model.backbone.frozen_stages == 1


def test_other_schemes_are_left_to_mmengine(cfg):
    overrides.set_pretrained(cfg, 'open-mmlab://detectron2/resnet50_caffe')
    overrides.settle_pretrained(cfg, False, trial=False)
    assert cfg.model.backbone.init_cfg.type == 'Pretrained'


def test_options_without_a_place(repo):
    with pytest.raises(UserError, match='do not fit'):
        overrides.load_config(str(repo / 'configs/frcnn_r50_c4_voc.py'),
                              {'model.backbone.depth.x': 1})


def test_a_part_of_a_config_is_no_config(repo):
    with pytest.raises(UserError, match=r'has no model.*a part for other'):
        overrides.load_config(str(repo / 'configs/_base_/default_runtime.py'))


@pytest.mark.parametrize('launcher', ['pytorch', 'slurm', 'mpi'])
def test_a_launcher_that_did_not_start_us(cfg, launcher, monkeypatch):
    for variable, _ in overrides.LAUNCHERS.values():
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(UserError, match=f'--launcher {launcher}.*start it with'):
        overrides.set_launcher(cfg, launcher)

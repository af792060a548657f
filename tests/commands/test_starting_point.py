import pytest

from frcnn_plugin.backbones.pretrained import WeightsUnreachable
from frcnn_plugin.commands import starting_point
from frcnn_plugin.commands import train as train_command
from frcnn_plugin.config.files import load_config
from frcnn_plugin.errors import UserError


@pytest.fixture
def cfg(repo):
    return load_config(str(repo / 'configs/frcnn_r50_c4_voc.py'))


def unreachable(source):
    raise WeightsUnreachable(f'{source} is far')


def test_a_run_stops_without_its_weights_and_a_trial_goes_on(
        cfg, monkeypatch, capsys):
    monkeypatch.setattr(starting_point, 'read_weights', unreachable)
    with pytest.raises(WeightsUnreachable):
        starting_point.settle_pretrained(cfg, False, trial=False)
    starting_point.settle_pretrained(cfg, False, trial=True)
    said = capsys.readouterr().out
    assert 'ERROR' in said and 'from scratch' in said
    assert cfg.model.backbone.init_cfg is None


def test_pretrained_reaches_both_halves(cfg, repo):
    starting_point.set_pretrained(cfg, 'mine.pth')
    assert cfg.model.backbone.init_cfg.checkpoint == 'mine.pth'
    assert cfg.model.roi_head.shared_head.init_cfg.checkpoint == 'mine.pth'
    shapes = load_config(str(repo / 'configs/frcnn_r18_c4_shapes.py'))
    with pytest.raises(UserError, match='nothing in this config'):
        starting_point.set_pretrained(shapes, 'mine.pth')


def test_from_scratch_trains_everything(cfg):
    starting_point.settle_pretrained(cfg, True, trial=False)
    for part in (cfg.model.backbone, cfg.model.roi_head.shared_head):
        assert part.init_cfg is None and part.norm_requires_grad
        assert not part.norm_eval
    assert cfg.model.backbone.frozen_stages == -1


def test_a_run_from_scratch_is_resumed_as_one(cfg):
    starting_point.train_from_scratch(cfg)
    again = cfg.copy()
    fresh = load_config(cfg.filename)
    starting_point.start_from_checkpoint(fresh, dict(cfg=again.pretty_text), False)
    assert fresh.model == cfg.model
    plain = load_config(cfg.filename)
    starting_point.start_from_checkpoint(plain, dict(cfg=plain.pretty_text), False)
    assert plain.model.backbone.init_cfg is None
    assert plain.model.backbone.frozen_stages == 1


def test_other_schemes_are_left_to_mmengine(cfg):
    starting_point.set_pretrained(cfg, 'open-mmlab://detectron2/resnet50_caffe')
    starting_point.settle_pretrained(cfg, False, trial=False)
    assert cfg.model.backbone.init_cfg.type == 'Pretrained'


def test_from_scratch_trains_stock_batch_normalisation_too(repo):
    cfg = load_config(str(repo / 'configs/frcnn_r50_fpn_voc.py'))
    starting_point.settle_pretrained(cfg, True, trial=False)
    backbone = cfg.model.backbone
    assert backbone.frozen_stages == -1 and not backbone.norm_eval
    assert backbone.norm_cfg.requires_grad


def test_the_four_steps_need_their_weights_when_they_go_on(repo, monkeypatch):
    """Step 2 takes the pretrained backbone a second time."""
    cfg = load_config(str(repo / 'configs/frcnn_r50_c4_alternating_voc.py'))
    asked = []
    monkeypatch.setattr(starting_point, 'read_weights', asked.append)
    starting_point.start_from_checkpoint(cfg, {}, from_scratch=False)
    assert asked == ['torchvision://resnet50']
    assert cfg.model.backbone.init_cfg.checkpoint == 'torchvision://resnet50'


def test_the_four_steps_go_on_with_weights_of_ones_own(repo, tmp_path, monkeypatch):
    class Reached(Exception):
        pass

    def read(source):
        raise Reached(source)

    monkeypatch.setattr(starting_point, 'read_weights', read)
    monkeypatch.setattr(train_command, 'checkpoint_to_resume', lambda *args: dict(
        path='x.pth', meta={}, state_dict={}))
    config = str(repo / 'configs/frcnn_r50_c4_alternating_voc.py')
    with pytest.raises(Reached, match=r'mine\.pth'):
        train_command.train([config, '--resume', 'x.pth', '--pretrained', 'mine.pth',
                             '--work-dir', str(tmp_path)])

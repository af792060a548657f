from urllib.error import URLError

import pytest
import torch

from frcnn_plugin.commands import train as train_command
from frcnn_plugin.config.files import load_config
from frcnn_plugin.config.initialisation import set_pretrained, train_from_scratch
from frcnn_plugin.errors import WeightsError, WeightsUnreachableError


@pytest.fixture
def cfg(repo):
    return load_config(str(repo / 'configs/frcnn_r50_c4_voc.py'))


def unreachable(source):
    raise WeightsUnreachableError(f'{source} is far')


def test_a_run_stops_without_its_weights_and_a_trial_goes_on(
        cfg, monkeypatch, capsys):
    monkeypatch.setattr(train_command, 'read_weights', unreachable)
    with pytest.raises(WeightsUnreachableError):
        train_command.check_weights(cfg)
    train_command.check_weights(cfg, trial=True)
    said = capsys.readouterr().out
    assert 'ERROR' in said and 'from scratch' in said
    assert cfg.model.backbone.init_cfg is None


def test_a_run_from_scratch_is_resumed_as_one(cfg):
    train_from_scratch(cfg)
    again = cfg.copy()
    fresh = load_config(cfg.filename)
    train_command.take_weights_of_run(fresh, dict(cfg=again.pretty_text))
    assert fresh.model == cfg.model
    plain = load_config(cfg.filename)
    train_command.take_weights_of_run(plain, dict(cfg=plain.pretty_text))
    assert plain.model.backbone.init_cfg is None
    assert plain.model.backbone.frozen_stages == 1


def test_names_of_open_mmlab(cfg, monkeypatch):
    """They are read before anything else, so that a run stops or goes on in time."""
    set_pretrained(cfg, 'open-mmlab://detectron2/resnet50_caffe')
    source, asked = 'torch.hub.load_state_dict_from_url', []

    def load(url, weights_only, **rest):
        asked.append((url.partition(':')[0], weights_only))
        return {'conv1.weight': torch.ones(1)}

    monkeypatch.setattr(source, load)
    train_command.check_weights(cfg)
    assert asked == [('https', True)]

    def fail(*args, **rest):
        raise URLError('no network')

    monkeypatch.setattr(source, fail)
    with pytest.raises(WeightsUnreachableError, match=r'open-mmlab.*no network'):
        train_command.check_weights(cfg)
    assert cfg.model.backbone.init_cfg.type == 'Pretrained'
    train_command.check_weights(cfg, trial=True)
    assert cfg.model.backbone.init_cfg is None
    set_pretrained(again := load_config(cfg.filename), 'open-mmlab://nobodys')
    with pytest.raises(WeightsError, match='lists none of that name'):
        train_command.check_weights(again)


def test_stores_are_left_to_mmengine(cfg):
    set_pretrained(cfg, 's3://weights/resnet50.pth')
    train_command.check_weights(cfg)
    assert cfg.model.backbone.init_cfg.type == 'Pretrained'


def test_the_four_steps_need_their_weights_when_they_go_on(repo, monkeypatch):
    """Step 2 takes the pretrained backbone a second time."""
    cfg = load_config(str(repo / 'configs/frcnn_r50_c4_alternating_voc.py'))
    asked = []
    monkeypatch.setattr(train_command, 'read_weights', asked.append)
    train_command.take_weights_of_run(cfg, {})
    assert asked == ['torchvision://resnet50']
    assert cfg.model.backbone.init_cfg.checkpoint == 'torchvision://resnet50'


def test_the_four_steps_go_on_with_weights_of_ones_own(repo, tmp_path, monkeypatch):
    class Reached(Exception):
        pass

    def read(source):
        raise Reached(source)

    monkeypatch.setattr(train_command, 'read_weights', read)
    monkeypatch.setattr(train_command, 'checkpoint_to_resume', lambda *args: dict(
        path='x.pth', meta={}, state_dict={}))
    config = str(repo / 'configs/frcnn_r50_c4_alternating_voc.py')
    with pytest.raises(Reached, match=r'mine\.pth'):
        train_command.train([config, '--resume', 'x.pth', '--pretrained', 'mine.pth',
                             '--work-dir', str(tmp_path)])

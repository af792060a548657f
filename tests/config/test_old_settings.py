"""Configs from before ``AccelerateHook``, in files and in checkpoints."""

import pytest
from mmengine.config import Config

from frcnn_plugin.config.files import drop_old_settings, load_config
from frcnn_plugin.inference.carried_config import config_of_checkpoint
from frcnn_plugin.io.weights_only import load_weights_only

OLD = """
_base_ = {base!r}
model = dict(fast_training={fast}, roi_head=dict(reorder='always'))
default_hooks = dict(accelerate=dict(type='AccelerateHook'))
"""


@pytest.fixture
def old(repo, tmp_path):
    def write(fast: bool) -> str:
        path = tmp_path / 'old.py'
        path.write_text(OLD.format(
            base=str(repo / 'configs/frcnn_r18_c4_shapes.py'), fast=fast))
        return str(path)
    return write


@pytest.mark.parametrize('fast', [True, False])
def test_a_file(old, fast, capture_log):
    cfg = load_config(old(fast))
    assert 'fast_training' not in cfg.model and 'reorder' not in cfg.model.roi_head
    assert ('accelerate' in cfg.default_hooks) == fast
    said = capture_log()
    assert 'old.py: FasterRCNN.fast_training is a setting of an older version' in said
    assert 'RoIHead.reorder' in said


def test_wherever_they_stand_and_nothing_else():
    cfg = Config(dict(model=dict(
        type='mmdet.DetTTAModel', module=dict(
            type='frcnn_plugin.FasterRCNN', fast_training=True, roi_head=dict(
                type='RoIHead', reorder='never', other=1)),
        reorder=1, neck=dict(type='Own', fast_training=False, reorder=2))))
    assert drop_old_settings(cfg) == ['FasterRCNN.fast_training', 'RoIHead.reorder']
    assert cfg.model.module.roi_head == dict(type='RoIHead', other=1)
    assert cfg.model.reorder == 1 and 'default_hooks' not in cfg
    assert cfg.model.neck == dict(type='Own', fast_training=False, reorder=2)
    assert drop_old_settings(cfg) == []


def test_the_config_that_a_checkpoint_carries(old, checkpoint, capture_log):
    meta = load_weights_only(checkpoint)['meta']
    meta['cfg'] = Config.fromfile(old(False)).pretty_text
    assert 'fast_training=False' in meta['cfg'] and 'reorder' in meta['cfg']
    cfg = config_of_checkpoint(checkpoint, meta, None)
    assert 'fast_training' not in cfg.model and 'reorder' not in cfg.model.roi_head
    assert 'older version' not in capture_log()

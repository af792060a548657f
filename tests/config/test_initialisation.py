import pytest
from mmdet.models import dense_heads as stock
from mmengine.config import Config

from frcnn_plugin.config.files import load_config
from frcnn_plugin.config.initialisation import set_pretrained, train_from_scratch
from frcnn_plugin.errors import UserError
from frcnn_plugin.rpn import RPNHead


@pytest.fixture
def cfg(repo):
    return load_config(str(repo / 'configs/frcnn_r50_c4_voc.py'))


def test_pretrained_reaches_both_halves(cfg, repo):
    set_pretrained(cfg, 'mine.pth')
    assert cfg.model.backbone.init_cfg.checkpoint == 'mine.pth'
    assert cfg.model.roi_head.shared_head.init_cfg.checkpoint == 'mine.pth'
    shapes = load_config(str(repo / 'configs/frcnn_r18_c4_shapes.py'))
    with pytest.raises(UserError, match='nothing in this config'):
        set_pretrained(shapes, 'mine.pth')


def test_from_scratch_trains_everything(cfg):
    train_from_scratch(cfg)
    for part in (cfg.model.backbone, cfg.model.roi_head.shared_head):
        assert part.init_cfg is None and part.norm_requires_grad
        assert not part.norm_eval
    assert cfg.model.backbone.frozen_stages == -1


def test_from_scratch_trains_stock_batch_normalisation_too(repo):
    cfg = load_config(str(repo / 'configs/frcnn_r50_fpn_voc.py'))
    train_from_scratch(cfg)
    backbone = cfg.model.backbone
    assert backbone.frozen_stages == -1 and not backbone.norm_eval
    assert backbone.norm_cfg.requires_grad


@pytest.mark.parametrize(('kind', 'scope', 'ours'), [
    ('RPNHead', None, True), ('RPNHead', 'frcnn_plugin', True),
    ('frcnn_plugin.RPNHead', 'mmdet', True), ('RPNHead', 'mmdet', False),
    ('mmdet.RPNHead', 'frcnn_plugin', False), (RPNHead, 'mmdet', True),
    (stock.RPNHead, 'frcnn_plugin', False)])
def test_only_heads_of_ours_take_the_scale_of_class_scores(kind, scope, ours):
    cfg = Config(dict(model=dict(rpn_head=dict(type=kind)), default_scope=scope))
    train_from_scratch(cfg)
    assert ('cls_init_std' in cfg.model.rpn_head) == ours

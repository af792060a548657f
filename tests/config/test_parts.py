import pytest

from frcnn_plugin.config.files import load_config
from frcnn_plugin.config.parts import LOADERS, set_classes, set_data_root


@pytest.fixture
def cfg(repo):
    return load_config(str(repo / 'configs/frcnn_r50_c4_voc.py'))


def test_data_root_reaches_every_loader(cfg):
    set_data_root(cfg, 'elsewhere')
    for name in LOADERS:
        assert cfg[name].dataset.data_root == 'elsewhere'


def test_data_root_reaches_wrapped_datasets(cfg):
    cfg.train_dataloader.dataset = dict(
        type='RepeatDataset', times=2, dataset=cfg.train_dataloader.dataset)
    set_data_root(cfg, 'elsewhere')
    assert cfg.train_dataloader.dataset.dataset.data_root == 'elsewhere'


def test_classes_reach_heads_and_datasets_but_not_the_rpn(cfg):
    cfg.model.rpn_head.num_classes = 1
    set_classes(cfg, ['a', 'b'])
    assert cfg.model.roi_head.bbox_head.num_classes == 2
    assert cfg.model.rpn_head.num_classes == 1
    for name in LOADERS:
        assert cfg[name].dataset.metainfo.classes == ('a', 'b')

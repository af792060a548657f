import pytest
from mmengine.config import Config

from frcnn_plugin.commands.common import check_order_of_classes
from frcnn_plugin.config import changes
from frcnn_plugin.config.changes import apply, set_classes, set_data_root
from frcnn_plugin.config.files import load_config
from frcnn_plugin.config.parts import LOADERS
from frcnn_plugin.config.testing import measure_recall, show_pictures, use_tta
from frcnn_plugin.errors import CheckpointError, ConfigError


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


def test_changes_are_made_in_their_order_and_none_or_false_are_none(cfg):
    seen = []
    apply(cfg, [(lambda cfg, value: seen.append(value), 0),
                (lambda cfg, value: seen.append(value), None),
                (lambda cfg: seen.append('not asked for'), False),
                (lambda cfg: seen.append('asked for'), True)])
    assert seen == [0, 'asked for']


def test_parts_that_a_config_lacks_are_made(tmp_path):
    cfg = Config(dict(model=dict(), test_evaluator=dict(), work_dir='run'))
    apply(cfg, [(changes.follow_with, 'tensorboard'), (changes.distribute_on_cpu, True),
                (changes.set_seed, 3), (changes.set_deterministic, True),
                (measure_recall, (5,))])
    assert cfg.visualizer.vis_backends == [dict(type='TensorboardVisBackend')]
    changes.follow_with(cfg, 'tensorboard')  # of a config that a run has written
    assert len(cfg.visualizer.vis_backends) == 1
    assert cfg.env_cfg.dist_cfg.backend == 'gloo'
    assert cfg.randomness == dict(seed=3, deterministic=True)
    show_pictures(cfg, str(tmp_path))
    assert cfg.default_hooks.visualization.test_out_dir == str(tmp_path)


def test_settings_that_cannot_be(cfg, tmp_path):
    (tmp_path / 'file').write_text('')
    for change, value, says in (
            (set_classes, ['a', 'b', 'a'], 'given twice: a b a'),
            (changes.set_seed, -1, 'must be from 0'),
            (changes.set_work_dir, str(tmp_path / 'file'), 'is a file')):
        with pytest.raises(ConfigError, match=says):
            apply(cfg, [(change, value)])


def test_a_test_leaves_the_tools_out():
    kinds = ['LocalVisBackend', *changes.FOLLOWERS.values()]
    cfg = Config(dict(visualizer=dict(vis_backends=[dict(type=k) for k in kinds])))
    changes.follow_no_more(cfg)
    assert [each.type for each in cfg.visualizer.vis_backends] == kinds[:2]


@pytest.mark.parametrize(('model', 'place'), [
    (dict(rpn_head=dict(type='RPNHead', proposal_creator=dict(test=dict(nms_pre=1)))),
     'rpn_head.proposal_creator.test'),
    (dict(rpn_head=dict(type='mmdet.RPNHead'),
          test_cfg=dict(rpn=dict(nms_pre=1, max_per_img=1))), 'test_cfg.rpn'),
    (dict(rpn_head=dict(type='RPNHead')), 'rpn_head.proposal_creator.test')])
def test_as_many_proposals_as_are_measured(model, place):
    cfg = Config(dict(model=dict(model, type='FasterRCNN')))
    measure_recall(cfg, (50, 2000))
    found = cfg.model
    for name in place.split('.'):
        found = found[name]
    assert (found.nms_pre, found.max_per_img) == (12000, 2000)
    assert cfg.test_evaluator.type == 'ProposalRecall'


def test_recall_of_mmdets_detector():
    cfg = Config(dict(default_scope='mmdet', model=dict(type='FasterRCNN')))
    with pytest.raises(ConfigError, match=r'frcnn_plugin\.FasterRCNN'):
        measure_recall(cfg, (5,))


def test_mirror_images_of_wrapped_data(cfg):
    inner = cfg.test_dataloader.dataset
    cfg.test_dataloader.dataset = dict(type='ConcatDataset', datasets=[inner, inner])
    use_tta(cfg)
    for dataset in cfg.test_dataloader.dataset.datasets:
        assert any(step.type == 'TestTimeAug' for step in dataset.pipeline)


def test_mirror_images_without_a_data_root(cfg):
    cfg.test_dataloader.dataset = dict(type='mmdet.CocoDataset', ann_file='/a.json',
                                       pipeline=cfg.test_dataloader.dataset.pipeline)
    use_tta(cfg)
    assert any(step.type == 'TestTimeAug'
               for step in cfg.test_dataloader.dataset.pipeline)


def test_bfloat16_of_a_config_with_amp():
    cfg = Config(dict(optim_wrapper=dict(
        type='AmpOptimWrapper', dtype='bfloat16', loss_scale='dynamic',
        clip_grad=None)))
    changes.use_bfloat16(cfg)
    assert cfg.optim_wrapper == dict(type='frcnn_plugin.BF16OptimWrapper',
                                     clip_grad=None)


def test_classes_in_another_order(cfg):
    meta = dict(dataset_meta=dict(classes=('cat', 'dog')))
    set_classes(cfg, ['dog', 'cat'])
    with pytest.raises(CheckpointError, match='are cat dog, in this order'):
        check_order_of_classes(cfg, 'test_dataloader', meta, 'a.pth')
    set_classes(cfg, ['cat', 'dog'])
    check_order_of_classes(cfg, 'test_dataloader', meta, 'a.pth')
    check_order_of_classes(cfg, 'test_dataloader', {}, 'a.pth')

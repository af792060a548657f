"""Every config builds, and the main one states the paper's numbers."""

import re

import pytest
from diff_configs import up_to_date
from mmengine.config import Config

from frcnn_plugin.config.parts import nested_dicts
from frcnn_plugin.registry import DATASETS, MODELS

NAMES = ['frcnn_r50_c4_voc', 'frcnn_r50_c4_bccd', 'frcnn_r18_c4_shapes',
         'frcnn_r18_c4_bccd', 'frcnn_r50_c4_fc_voc', 'frcnn_vgg16_voc',
         'frcnn_vgg16_legacy_voc', 'frcnn_r50_fpn_voc', 'frcnn_r50_fpn_cls_voc',
         'frcnn_r50_c4_coco', 'fast_rcnn_r50_c4_voc', 'rcnn_r50_voc',
         'frcnn_r50_c4_alternating_voc', 'frcnn_r18_c4_alternating_shapes',
         'frcnn_r50_c4_two_phases_voc', 'frcnn_vgg16_two_phases_voc',
         'frcnn_r50_c4_bccd_scratch']


def load(repo, name: str) -> Config:
    return Config.fromfile(repo / 'configs' / f'{name}.py')


@pytest.mark.parametrize('name', NAMES)
def test_the_model_builds_and_fits_its_data(repo, name):
    cfg = load(repo, name)
    model = MODELS.build(cfg.model)
    dataset = cfg.train_dataloader.dataset
    default = DATASETS.get(dataset.type).METAINFO['classes']
    classes = dataset.get('metainfo', {}).get('classes', default)
    assert model.roi_head.bbox_head.num_classes == len(classes)
    assert cfg.default_scope == 'frcnn_plugin'


def test_no_config_is_forgotten_here(repo):
    assert {path.stem for path in (repo / 'configs').glob('*.py')} == set(NAMES)


@pytest.mark.parametrize('name', NAMES)
def test_it_opens_with_its_command_its_needs_and_its_result(repo, name):
    text = (repo / 'configs' / f'{name}.py').read_text()
    head = ' '.join(line[1:].strip() for line in text.split('_base_ =')[0].splitlines())
    assert f'frcnn train {name} ' in head
    assert 'Needs ' in head
    assert 'mAP 0.' in head or re.search(r'Not trained .*yet', head)


@pytest.mark.parametrize('name', NAMES)
def test_every_pipeline_scales_to_the_variable(repo, name):
    """A config that sets `scale` alone, and not the steps that read it, fails here."""
    cfg = load(repo, name)
    loaders = {'train': cfg.train_pipeline, 'val': cfg.test_pipeline,
               'test': cfg.test_pipeline}
    for loader, pipeline in loaders.items():
        dataset = cfg[f'{loader}_dataloader'].dataset
        assert dataset.pipeline == pipeline
        scales = {step.get('scale') for step in nested_dicts(pipeline)
                  if step.get('type') == 'Resize'}
        assert scales <= {cfg.scale}, loader
        assert scales or (loader == 'train' and cfg.scale is None)


def test_peers_are_not_accelerated_and_ours_are(repo):
    """Another order of summation would not be every bit as there."""
    for path in (repo / 'configs').glob('peers/*.py'):
        assert Config.fromfile(path).default_hooks.accelerate is None, path.name
    for name in NAMES:
        hooks = load(repo, name).default_hooks
        assert hooks.accelerate.type == 'AccelerateHook', name


def test_border_anchors_train_where_the_peer_trains_on_them(repo):
    """`<=` in simple-faster-rcnn-pytorch, `<` in py-faster-rcnn and here."""
    theirs = load(repo, 'peers/simple_vgg16').model.rpn_head.target_sampler
    ours = load(repo, 'frcnn_vgg16_voc').model.rpn_head.target_sampler
    assert (theirs.allowed_border, theirs.border_inclusive) == (0, True)
    assert not ours.get('border_inclusive', False)


@pytest.mark.parametrize('name', ['bubbliiiing_r50', 'bubbliiiing_vgg16'])
def test_bubbliiiings_targets(repo, name):
    """`AnchorTargetCreator` and `ProposalTargetCreator` of nets/frcnn_training.py."""
    model = load(repo, f'peers/{name}').model
    assert model.rpn_head.target_sampler.allowed_border == -1
    assert model.rpn_head.target_sampler.reassign_low_quality
    assert model.rpn_head.loss_bbox.beta == 1
    assert model.roi_head.target_sampler.pos_fraction == 0.5


def test_the_main_config_is_the_paper(repo):
    cfg = load(repo, 'frcnn_r50_c4_voc')
    rpn, roi = cfg.model.rpn_head, cfg.model.roi_head
    assert rpn.anchor_generator.style == 'classic'
    assert (rpn.target_sampler.num, rpn.target_sampler.pos_fraction) == (256, 0.5)
    assert rpn.target_sampler.pos_iou_thr == 0.7
    assert rpn.target_sampler.neg_iou_thr == 0.3
    assert rpn.proposal_creator.train == dict(nms_pre=12000, max_per_img=2000)
    assert rpn.proposal_creator.test == dict(nms_pre=6000, max_per_img=300)
    assert not rpn.loss_cls.use_sigmoid
    assert rpn.loss_bbox.beta == pytest.approx(1 / 9)
    assert roi.bbox_head.loss_bbox.beta == 1
    assert roi.bbox_roi_extractor.roi_layer == dict(type='RoIPool', output_size=14)
    assert (roi.target_sampler.num, roi.target_sampler.pos_fraction) == (128, 0.25)
    assert tuple(roi.bbox_head.bbox_coder.target_stds) == (0.1, 0.1, 0.2, 0.2)
    optimizer = cfg.optim_wrapper.optimizer
    assert (optimizer.type, optimizer.momentum, optimizer.weight_decay) == (
        'SGD', 0.9, 0.0005)
    (resize,) = [step for step in cfg.train_pipeline if step.type == 'Resize']
    assert resize.scale == (1000, 600)
    assert cfg.train_dataloader.dataset.folders == ['VOC2007', 'VOC2012']
    assert cfg.test_dataloader.dataset.split == 'test'


def test_the_tables_of_the_lineage_are_those_of_the_configs(repo):
    text = (repo / 'docs' / 'lineage.md').read_text()
    assert text == up_to_date(text), 'tools/diff_configs.py --write docs/lineage.md'


def test_every_config_is_in_the_lineage_or_in_the_readme(repo):
    text = ''.join((repo / name).read_text() for name in (
        'README.md', 'docs/lineage.md', 'docs/results.md'))
    for name in NAMES:
        assert f'{name}.py' in text, name

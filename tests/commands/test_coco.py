"""The COCO config through the commands, on a few images in COCO's layout."""

import json

import pytest
from helpers import as_coco

from frcnn_plugin.commands.test import test as run_test
from frcnn_plugin.commands.train import train
from frcnn_plugin.config.changes import set_data_root
from frcnn_plugin.config.files import load_config
from frcnn_plugin.config.testing import set_split
from frcnn_plugin.datasets import VOCFolder
from frcnn_plugin.errors import UserError
from frcnn_plugin.prepare.shapes import CLASSES


@pytest.fixture
def coco_root(shapes_root, tmp_path):
    """The shapes as data/coco is laid out."""
    root = tmp_path / 'coco'
    (root / 'annotations').mkdir(parents=True)
    for split, name in (('train', 'train2017'), ('val', 'val2017')):
        (root / name).symlink_to(shapes_root / 'JPEGImages')
        data = VOCFolder(str(shapes_root), split=split, test_mode=True,
                         metainfo=dict(classes=CLASSES))
        (root / f'annotations/instances_{name}.json').write_text(
            json.dumps(as_coco(data)))
    return root


@pytest.mark.long
def test_train_and_test(repo, coco_root, tmp_path, fresh_process):
    small = ['model.backbone.depth=18', 'model.roi_head.shared_head.depth=18',
             'model.rpn_head.in_channels=256', 'model.rpn_head.feat_channels=32',
             'model.roi_head.bbox_roi_extractor.out_channels=256',
             'model.roi_head.bbox_head.in_channels=512',
             'model.roi_head.target_sampler.num=8',
             'model.rpn_head.proposal_creator.test.max_per_img=20']
    for loader in ('train', 'val', 'test'):
        small += [f'{loader}_dataloader.num_workers=0',
                  f'{loader}_dataloader.persistent_workers=False',
                  f'{loader}_dataloader.dataset.pipeline.'
                  f'{2 if loader == "train" else 1}.scale=(160,128)']
    options = ['--data-root', str(coco_root), '--classes', *CLASSES, '--work-dir',
               str(tmp_path / 'run'), '--cfg-options', *small]
    config = str(repo / 'configs/frcnn_r50_c4_coco.py')
    train([config, '--max-iters', '2', '--from-scratch', *options])
    summary = run_test([config, str(tmp_path / 'run/iter_2.pth'), *options])
    assert 0 <= summary['mAP'] <= summary['AP50'] <= 1
    assert set(summary['per_class']) == set(CLASSES)
    assert summary['AP'] == summary['mAP'] and summary['AP_large'] is None
    assert {'coco/bbox_mAP_75', 'coco/bbox_mAP_s'} <= set(summary['all'])


def test_the_metric_reads_the_annotations_of_the_data_root(repo):
    cfg = load_config(str(repo / 'configs/frcnn_r50_c4_coco.py'))
    set_data_root(cfg, 'elsewhere')
    for name in ('val_evaluator', 'test_evaluator'):
        assert cfg[name].ann_file == 'elsewhere/annotations/instances_val2017.json'
    set_data_root(cfg, 'elsewhere/below')
    assert cfg.val_evaluator.ann_file == (
        'elsewhere/below/annotations/instances_val2017.json')
    with pytest.raises(UserError, match='has no split files'):
        set_split(cfg, 'val')

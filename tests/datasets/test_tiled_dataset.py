"""Tiles as training sees them: their pixels, and what is seen of each object."""

import cv2
import numpy as np
import pytest
from mmengine.config import Config

from frcnn_plugin.commands.train import train
from frcnn_plugin.datasets import TiledDataset, VOCFolder

PIPELINE = [dict(type='LoadTile'), dict(type='LoadAnnotations', with_bbox=True),
            dict(type='PackDetInputs', meta_keys=('img_path', 'ori_shape'))]
CLASSES = ('circle', 'square', 'triangle', 'star')


@pytest.fixture
def whole(shapes_root):
    return VOCFolder(str(shapes_root), split='train', pipeline=[],
                     metainfo=dict(classes=CLASSES))


def test_each_tile_is_a_part_of_its_picture(whole):
    tiled = TiledDataset(whole, 80, PIPELINE, overlap=0.3, visible=0.5, empty=True)
    assert len(tiled) > 3 * len(whole) and tiled.metainfo['classes'] == CLASSES
    infos = {whole.get_data_info(index)['img_path']: whole.get_data_info(index)
             for index in range(len(whole))}
    kinds = set()
    for index in range(0, len(tiled), 5):
        sample, info = tiled[index], tiled.get_data_info(index)
        x1, y1, x2, y2 = info['tile']
        image = cv2.imread(info['img_path'])[y1:y2, x1:x2]
        np.testing.assert_array_equal(
            sample['inputs'].permute(1, 2, 0).numpy(), image)
        data = sample['data_samples']
        assert data.ori_shape == image.shape[:2] == (info['height'], info['width'])
        expected = {True: [], False: []}
        for each in infos[info['img_path']]['instances']:
            left, top, right, bottom = each['bbox']
            seen = [max(left, x1), max(top, y1), min(right, x2), min(bottom, y2)]
            if seen[0] < seen[2] and seen[1] < seen[3]:
                share = ((seen[2] - seen[0]) * (seen[3] - seen[1])
                         / (right - left) / (bottom - top))
                expected[share >= 0.5].append(np.subtract(seen, (x1, y1, x1, y1)))
                kinds.add('whole' if share == 1 else share >= 0.5)
        for kept, instances in ((True, data.gt_instances),
                                (False, data.ignored_instances)):
            found = instances.bboxes.numpy()
            np.testing.assert_allclose(
                found, np.reshape(expected[kept], (-1, 4)), atol=1e-4)
    assert kinds == {'whole', True, False}


def test_what_is_done_to_a_tile_is_not_done_to_the_next(whole):
    """The picture is kept: a tile as wide as it would be a part of its memory."""
    tiled = TiledDataset(whole, 60, [dict(type='LoadTile')], empty=True)
    load, info = tiled.pipeline.transforms[0], tiled.get_data_info(0)
    info['tile'] = [0, 0, info['width'] * 9, 30]
    first = load(dict(info))['img']
    before = first.copy()
    first[:] = 0
    np.testing.assert_array_equal(load(dict(info))['img'], before)


def test_tiles_without_objects(whole):
    every, kept = (TiledDataset(whole, 60, PIPELINE, empty=empty)
                   for empty in (True, False))
    count = sum(not all(each['ignore_flag'] for each in every.get_data_info(
        index)['instances']) for index in range(len(every)))
    assert len(kept) == count < len(every)


def test_training_on_tiles(small, tmp_path):
    config = tmp_path / 'tiles.py'
    words = small('--max-iters', '1', '--seed', '0')
    config.write_text(f'''
_base_ = {words[0]!r}
pipeline = [dict(type='LoadTile'), *_base_.train_pipeline[1:]]
data = _base_.train_dataloader.dataset
train_dataloader = dict(dataset=dict(
    _delete_=True, type='TiledDataset', size=100, pipeline=pipeline,
    dataset=dict(type='VOCFolder', split='train', metainfo=dict(classes=_base_.classes),
                 data_root=_base_.data_root, pipeline=[])))
''')
    train([str(config), *words[1:]])
    assert (tmp_path / 'run/iter_1.pth').is_file()
    written = Config.fromfile(tmp_path / 'run/tiles.py').train_dataloader.dataset
    assert written.type == 'TiledDataset'
    assert written.dataset.data_root == words[words.index('--data-root') + 1]

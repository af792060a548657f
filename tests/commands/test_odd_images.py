"""Images of one pixel, of a strip, without a box and with 2000: all of them work."""

import json

import numpy as np
import pytest
from helpers import write_xml
from PIL import Image

from frcnn_plugin.commands.test import test as run_test
from frcnn_plugin.commands.train import train

CLASSES = ['dog', 'cat']


@pytest.fixture
def odd(tmp_path):
    root = tmp_path / 'odd'
    for part in ('JPEGImages', 'Annotations', 'ImageSets/Main'):
        (root / part).mkdir(parents=True)
    rng = np.random.default_rng(0)
    corners = rng.integers(1, 280, (2000, 2))
    sizes = rng.integers(8, 60, (2000, 2))
    many = [(CLASSES[i % 2], *corners[i], *(corners[i] + sizes[i]))
            for i in range(2000)]
    cases = dict(pixel=(1, 1, []), strip=(10000, 50, [('dog', 100, 5, 900, 45)]),
                 none=(200, 150, []), many=(400, 400, many))
    for name, (width, height, boxes) in cases.items():
        pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / f'JPEGImages/{name}.jpg')
        write_xml(root, name, boxes, size=(width, height))
    for split in ('train', 'val', 'test'):
        (root / f'ImageSets/Main/{split}.txt').write_text('\n'.join(cases))
    return root


@pytest.mark.long
def test_they_train_and_test(repo, odd, tmp_path, fresh_process):
    work = tmp_path / 'run'
    options = [f'{loader}_dataloader.{option}' for loader in ('train', 'val', 'test')
               for option in ('batch_size=1', 'num_workers=0',
                              'persistent_workers=False')]
    common = [str(repo / 'configs/frcnn_r18_c4_bccd.py'), '--data-root', str(odd),
              '--classes', *CLASSES, '--work-dir', str(work)]
    train([*common, '--max-iters', '4', '--seed', '0', '--cfg-options', *options,
           'train_dataloader.dataset.filter_cfg.filter_empty_gt=False',
           'train_dataloader.dataset.filter_cfg.min_size=0',
           'train_dataloader.sampler.shuffle=False'])
    losses = [json.loads(line) for line in next(
        work.glob('*/vis_data/scalars.json')).read_text().splitlines()]
    assert len(losses) == 4 and all(0 < row['loss'] < 100 for row in losses)
    run_test([common[0], str(work / 'iter_4.pth'), *common[1:], '--cfg-options',
              *options])
    assert 0 <= json.loads((work / 'metrics.json').read_text())['mAP'] <= 1

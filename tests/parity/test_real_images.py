"""From a file of pixels to detections, beside torchvision and mmdet.

The checkpoint goes through the command, and the config is the one that it writes. With
BCCD_ROOT the images are the first three of that data set, else a generated one with
grain: regions of an even colour all score the same, and have no order to agree on.
"""

import os
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from helpers import make_samples
from mmengine.config import Config
from peers.matching import detection_partners
from peers.networks import MMDet, TorchVision, settle

from frcnn_plugin.commands.convert import convert
from frcnn_plugin.interop.configure import build

HEIGHT, WIDTH = 235, 315  # not a multiple of the padding, so that there is one
PROPOSALS = 10, 30  # in training and in test


@pytest.fixture(scope='module')
def images(shapes_root) -> list[np.ndarray]:
    """Three real images, or a generated one; uint8 BGR."""
    real = 'BCCD_ROOT' in os.environ
    root = Path(os.environ['BCCD_ROOT'] if real else shapes_root)
    files = sorted((root / 'JPEGImages').iterdir())[:3 if real else 1]
    images = [cv2.resize(cv2.imread(str(file)), (320, 240))[:HEIGHT, :WIDTH]
              for file in files]
    grain = 0 if real else np.random.RandomState(0).randint(
        -60, 60, (len(images), *images[0].shape))
    return list(np.clip(np.stack(images) + grain, 0, 255).astype(np.uint8))


def converted(tmp_path, content, *options: str):
    """What the command makes of a checkpoint: a detector, from the two files."""
    source, out = tmp_path / 'theirs.pth', tmp_path / 'ours.pth'
    torch.save(content, source)
    convert([str(source), '-o', str(out), *options])
    cfg = Config.fromfile(out.with_suffix('.py'))
    cfg.model.rpn_head.proposal_creator.test.max_per_img = PROPOSALS[1]
    net = build(cfg)
    net.load_state_dict(torch.load(out)['state_dict'])
    return net.eval()


def settle_on(peer, pixels: torch.Tensor) -> None:
    torch.manual_seed(0)
    settle(peer, pixels)
    peer.net.eval()


def batch_of(*images: np.ndarray) -> dict:
    return dict(inputs=[torch.from_numpy(image).permute(2, 0, 1) for image in images],
                data_samples=make_samples((0,) * len(images), size=images[0].shape[:2]))


def rgb_of(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(image[:, :, ::-1].copy()).permute(2, 0, 1) / 255


def same_detections(found, expected, compare, what: str) -> None:
    assert len(found.labels) > 10 and len(found.labels.unique()) > 5
    boxes, scores = detection_partners(found, expected)
    compare(f'{what}: boxes, pixels', *boxes, atol=1e-2)
    compare(f'{what}: scores', *scores, atol=1e-4)


def test_torchvision_with_91_classes(images, tmp_path, compare):
    peer = TorchVision(90, limits=PROPOSALS, min_size=HEIGHT, max_size=WIDTH)
    settle_on(peer, peer.net.transform([rgb_of(image) for image in images])[0].tensors)
    ours = converted(tmp_path, peer.net.state_dict())
    for index, image in enumerate(images):
        with torch.no_grad():
            (found,) = peer.net([rgb_of(image)])
            (mine,) = ours.test_step(batch_of(image))
        expected = SimpleNamespace(bboxes=found['boxes'], scores=found['scores'],
                                   labels=found['labels'] - 1)
        same_detections(mine.pred_instances, expected, compare,
                        f'torchvision, image {index}')


@pytest.mark.parametrize('style', [
    'pytorch', pytest.param('caffe', marks=pytest.mark.long)])
def test_mmdet_r50_c4(images, tmp_path, compare, style):
    peer = MMDet('faster-rcnn_r50-caffe_c4-1x_coco', style, num_classes=80,
                 limits=PROPOSALS)
    if style == 'pytorch':
        processor = peer.net.data_preprocessor
        processor.mean[:] = torch.tensor([123.675, 116.28, 103.53]).view(3, 1, 1)
        processor.std[:] = torch.tensor([58.395, 57.12, 57.375]).view(3, 1, 1)
        processor._channel_conversion = True
    settle_on(peer, peer.net.data_preprocessor(batch_of(*images))['inputs'])
    meta = dict(cfg=f"model = dict(backbone=dict(style='{style}'))")
    ours = converted(tmp_path, dict(state_dict=peer.net.state_dict(), meta=meta))
    for index, image in enumerate(images):
        with torch.no_grad():
            (theirs,) = peer.net.test_step(batch_of(image))
            (mine,) = ours.test_step(batch_of(image))
        same_detections(mine.pred_instances, theirs.pred_instances, compare,
                        f'mmdet R50-C4 {style}, image {index}')

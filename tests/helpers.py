"""Builders that tests of several stages use."""

import copy
import shutil
import socket
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from PIL import Image
from samples import as_coco, edges_of, make_samples, random_boxes, total  # noqa: F401

from frcnn_plugin.io.weights_only import load_weights_only

needs_contrib = pytest.mark.skipif(
    not hasattr(cv2, 'ximgproc'), reason='this OpenCV is built without contrib')

BACKBONE = dict(type='ResNetC4', depth=18, norm_eval=True)
ANCHORS = dict(type='AnchorGenerator', strides=[16], ratios=[0.5, 1.0, 2.0],
               scales=[2, 4, 8])
RPN_HEAD = dict(
    type='RPNHead', in_channels=256, feat_channels=32, anchor_generator=ANCHORS,
    target_sampler=dict(type='AnchorTargetSampler', num=64, allowed_border=-1),
    proposal_creator=dict(
        type='ProposalCreator', train=dict(nms_pre=200, max_per_img=50),
        test=dict(nms_pre=200, max_per_img=20), min_bbox_size=0))
ROI_HEAD = dict(
    type='RoIHead',
    target_sampler=dict(type='ProposalTargetSampler', num=16),
    bbox_roi_extractor=dict(
        type='RoIPoolExtractor', roi_layer=dict(type='RoIPool', output_size=14),
        out_channels=256, featmap_strides=[16]),
    shared_head=dict(type='ResNetC5Head', depth=18),
    bbox_head=dict(type='BBoxHead', num_classes=3, in_channels=512))


def tiny_detector(**changes) -> Config:
    """The config of a small C4 detector; keywords replace its parts."""
    parts = dict(type='FasterRCNN', backbone=BACKBONE, rpn_head=RPN_HEAD,
                 roi_head=ROI_HEAD)
    parts.update(changes)
    return Config(copy.deepcopy(dict(model=parts))).model


def few_regions(cfg: Config) -> Config:
    """The same with 4 regions an image: half precision is emulated on some CPUs."""
    cfg.roi_head.target_sampler.num = 4
    cfg.rpn_head.proposal_creator.test.max_per_img = 4
    return cfg


def as_yolo(data, root: Path, split: str, folders: str = 'images/{}') -> None:
    """Write a split of a data set of mmdet as YOLO has it."""
    images = root / folders.format(split)
    labels = root / folders.format(split).replace('images', 'labels')
    images.mkdir(parents=True)
    labels.mkdir(parents=True)
    for info in map(data.get_data_info, range(len(data))):
        path = Path(info['img_path'])
        shutil.copyfile(path, images / path.name)
        lines = []
        for item in info['instances']:
            x1, y1, x2, y2 = edges_of(item['bbox'], info)
            numbers = ((x1 + x2) / 2 / info['width'], (y1 + y2) / 2 / info['height'],
                       (x2 - x1) / info['width'], (y2 - y1) / info['height'])
            lines.append(f'{item["bbox_label"]} ' + ' '.join(f'{n:.6f}'
                                                             for n in numbers))
        (labels / f'{path.stem}.txt').write_text('\n'.join(lines))


def damaged_data_set(root: Path) -> Path:
    """A folder in VOC layout in which everything is wrong once."""
    for part in ('JPEGImages', 'Annotations', 'ImageSets/Main'):
        (root / part).mkdir(parents=True)
    names = ['no_image', 'no_xml', 'broken_xml', 'no_picture', 'truncated', 'size',
             'boxes', 'empty', 'grey', 'alpha', 'bits', 'cmyk', 'turned']
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 256, (80, 100, 3), dtype=np.uint8))
    files = {name: root / f'JPEGImages/{name}.jpg' for name in names}
    for name in names:
        picture.save(files[name], quality=95)
        write_xml(root, name, [('dog', 1, 1, 10, 10)])
    files['no_image'].unlink()
    (root / 'Annotations/no_xml.xml').unlink()
    (root / 'Annotations/broken_xml.xml').write_text('<annotation><object>')
    files['no_picture'].write_text('no picture')
    files['truncated'].write_bytes(files['size'].read_bytes()[:4000])
    write_xml(root, 'size', [('dog', 1, 1, 10, 10)], size=(50, 50))
    write_xml(root, 'boxes', [
        ('dog', 1, 1, 10, 10), ('dog', 'x', 1, 10, 10), ('dog', 5, 5, 5, 5),
        ('cat', 500, 500, 600, 600), ('', 1, 1, 5, 5), ('cat', 90, 70, 300, 300),
        ('dog', 1, 1, 10, 10), ('cat', 1, 1, 101, 81), ('dgo', 2, 2, 20, 20)])
    write_xml(root, 'empty', [])
    picture.convert('L').save(files['grey'])
    picture.convert('CMYK').save(files['cmyk'])
    exif = Image.Exif()
    exif[274] = 6
    picture.save(files['turned'], exif=exif)
    for name, image in (('alpha', picture.convert('RGBA')), ('bits', Image.fromarray(
            rng.integers(0, 2**16, (80, 100), dtype=np.uint16)))):
        files[name].unlink()
        image.save(files[name].with_suffix('.png'))
    main = root / 'ImageSets/Main'
    (main / 'train.txt').write_text('\n'.join([*names, 'empty']))
    (main / 'test.txt').write_text('size\n')
    (main / 'val.txt').write_text('grey\n')
    return root


def write_xml(root: Path, name: str, boxes, size=(100, 80),
              folder: str = 'Annotations') -> None:
    """An annotation with boxes (class, xmin, ymin, xmax, ymax)."""
    corners = ('xmin', 'ymin', 'xmax', 'ymax')
    objects = ''.join(
        f'<object><name>{label}</name><bndbox>'
        + ''.join(f'<{side}>{value}</{side}>'
                  for side, value in zip(corners, box, strict=True))
        + '</bndbox></object>' for label, *box in boxes)
    (root / folder / f'{name}.xml').write_text(
        f'<annotation><size><width>{size[0]}</width><height>{size[1]}</height></size>'
        f'{objects}</annotation>')


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        return free.getsockname()[1]


def rois_with(num: int, boxes: list[list[float]]) -> torch.Tensor:
    """(num, 5) random regions of two images of 800x608, the whole one and these."""
    a, b = torch.rand(2, num, 2) * torch.tensor([800.0, 608.0])
    rois = torch.cat([torch.randint(2, (num, 1)), a.minimum(b), a.maximum(b)], dim=1)
    rois[:len(boxes) + 1, 1:] = torch.tensor([[0, 0, 800, 608], *boxes])
    return rois


def put_points(checkpoint: str | Path, path: Path, thresholds: dict[str, float]) -> str:
    """A copy that knows scores to cut at, and how many of a class are right.

    Half of the first one, and of each other fewer.
    """
    content = load_weights_only(checkpoint)
    content['meta']['operating_points'] = dict(
        iou=0.5, scores='raw', rule='best F1', images=87, thresholds=thresholds,
        f1=dict.fromkeys(thresholds, 0.9), pooled=[],
        calibration={name: [0.0, 0.0, -float(number)]
                     for number, name in enumerate(thresholds)})
    torch.save(content, path)
    return str(path)

"""What a reader of the docs has on disk, under the names of the pages, but small."""

import json
import random
import re
import shutil
from pathlib import Path

import torch
from helpers import as_coco, as_yolo, write_xml
from mmdet.datasets import VOCDataset
from mmengine.hub import get_config
from mmengine.registry import DefaultScope
from pages.listing import REPO
from PIL import Image, ImageDraw

from frcnn_plugin.commands.prepare import prepare
from frcnn_plugin.commands.train import train
from frcnn_plugin.config.files import OWN_CONFIGS
from frcnn_plugin.config.parts import LOADERS, nested_dicts
from frcnn_plugin.datasets import VOCFolder
from frcnn_plugin.prepare.make_shapes import make_shapes

CLASSES = ['RBC', 'WBC', 'Platelets', 'cat', 'dog']  # of the pages' own data sets
PICTURES = 20
SIZE = (128, 96)
COLOURS = dict(RBC='red', WBC='purple', Platelets='blue', cat='black', dog='brown')


def fill(root: Path) -> None:
    """Pictures in a heap, in the layouts of VOC, COCO and YOLO, and the shapes."""
    heap = root / 'my_pictures'
    names = [f'BloodImage_{number:05d}' for number in range(PICTURES)]
    draw(heap, heap, names, CLASSES)
    shutil.copyfile(heap / f'{names[0]}.jpg', root / 'picture.jpg')
    make_shapes(root / 'data/shapes', dict(train=8, val=2, test=2))
    for year, splits in ('2007', ('trainval', 'test')), ('2012', ('trainval',)):
        folder = root / f'data/VOCdevkit/VOC{year}'
        names = [f'{year}_{number}' for number in range(4)]
        draw(folder / 'JPEGImages', folder / 'Annotations', names,
             VOCDataset.METAINFO['classes'])
        (folder / 'ImageSets/Main').mkdir(parents=True)
        for split in splits:
            (folder / f'ImageSets/Main/{split}.txt').write_text('\n'.join(names))
    voc = my_data(root)
    shutil.copytree(voc, root / 'bccd')
    for split in ('train', 'val', 'test'):
        data = VOCFolder(str(voc), split=split, metainfo=dict(classes=CLASSES))
        as_yolo(data, root / 'my_yolo', split)
        shutil.copytree(root / f'my_yolo/images/{split}', root / 'pictures',
                        dirs_exist_ok=True)
        (root / f'{split}.json').write_text(json.dumps(as_coco(data)))
    (root / 'my_yolo/classes.txt').write_text('\n'.join(CLASSES))
    shutil.rmtree(voc)
    page = (REPO / 'docs/reuse_in_mmdet.md').read_text()
    (root / 'my_config.py').write_text(
        re.search("```python\n(_base_ = 'mmdet::.*?)```", page, re.S)[1])
    torchs_detector(root / 'faster_rcnn.pth')


def draw(pictures: Path, annotations: Path, names: list[str], classes) -> None:
    """A rectangle for each class, and their annotations."""
    chance = random.Random(0)
    pictures.mkdir(parents=True)
    annotations.mkdir(parents=True, exist_ok=True)
    for name in names:
        picture = Image.new('RGB', SIZE, 'beige')
        boxes = []
        for label in classes:
            x, y = chance.randint(1, 80), chance.randint(1, 60)
            boxes.append((label, x, y, x + 30, y + 30))
            ImageDraw.Draw(picture).rectangle(boxes[-1][1:], COLOURS.get(label, 'red'))
        picture.save(pictures / f'{name}.jpg')
        write_xml(annotations.parent, name, boxes, SIZE, folder=annotations.name)


def my_data(root: Path = Path()) -> Path:
    """The folder that the pages call so, in the layout of VOC and in that of COCO."""
    voc = root / 'my_data'
    if not (voc / 'ImageSets/Main/test.txt').exists():
        shutil.rmtree(voc, ignore_errors=True)
        prepare([str(root / 'my_pictures'), '-o', str(voc)])
    for split in ('train', 'val'):
        file = voc / f'annotations/instances_{split}2017.json'
        if (root / f'{split}.json').exists() and not file.exists():
            file.parent.mkdir(exist_ok=True)
            shutil.copyfile(root / f'{split}.json', file)
            shutil.copytree(root / f'my_yolo/images/{split}', voc / f'{split}2017')
    return voc


def torchs_detector(path: Path) -> None:
    """A checkpoint of another code base that names its classes, as mmdet's do."""
    cfg = get_config('mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py').model
    cfg.backbone.init_cfg, cfg.roi_head.bbox_head.num_classes = None, 3
    with DefaultScope.overwrite_default_scope('mmdet'):
        from mmdet.registry import MODELS
        state = MODELS.build(cfg).state_dict()
    torch.save(dict(state_dict=state, meta=dict(dataset_meta=dict(
        classes=tuple(CLASSES[:3])))), path)


def quick(cfg):
    """A config with small pictures, batches and heads; the rest is as it was."""
    for node in nested_dicts(cfg._cfg_dict):
        if node.get('type') in ('Resize', 'RandomResize') and 'scale' in node:
            node['scale'] = SIZE
        if node.get('type') == 'RandomChoiceResize':
            node['scales'] = [SIZE]
        if node.get('type') == 'frcnn_plugin.ProposalTargetSampler':
            node['num'] = 8
    for name in LOADERS:
        if name in cfg:
            cfg[name].update(batch_size=2, num_workers=0, persistent_workers=False)
    model = cfg.get('model') or {}
    if 'target_sampler' in (model.get('roi_head') or {}):
        model.roi_head.target_sampler.num = 8
    if 'rpn' in (model.get('test_cfg') or {}):  # mmdet's own
        model.test_cfg.rpn.max_per_img = 20
    if cfg.get('load_from') or 'proposal_creator' not in (model.get('rpn_head') or {}):
        return cfg
    model.rpn_head.feat_channels = 32
    model.rpn_head.proposal_creator.test.max_per_img = 20
    if model.backbone.get('depth') == 50 and 'neck' not in model:
        model.backbone.depth = model.roi_head.shared_head.depth = 18
        model.rpn_head.in_channels = 256
        model.roi_head.bbox_roi_extractor.out_channels = 256
        model.roi_head.bbox_head.in_channels = 512
    return cfg


def checkpoint_for(path: str, words: list[str]) -> str:
    """What the training that a page describes would have left under this name.

    Args:
        path: The name.
        words: The command that it is in, which may name the config and the classes.
    """
    target = Path(path.replace('*', 'it_1'))
    names = [Path(word).stem for word in (words[0], target.parent)]
    config = next((name for name in names if (
        OWN_CONFIGS / f'{name}.py').exists()), None)
    trained = target.parent / 'last_checkpoint'
    if config or not trained.exists():  # by the command before it on the page
        config = config or 'frcnn_r18_c4_shapes'
        data = []
        if 'bccd' in config:
            data = ['--data-root', str(my_data()), '--classes', *(
                CLASSES[3:] if 'cat' in words else CLASSES[:3])]
        train([config, '--max-iters', '1', '--from-scratch', '--work-dir',
               str(target.parent), *data])
    shutil.copyfile(trained.read_text(), target)
    return str(target)

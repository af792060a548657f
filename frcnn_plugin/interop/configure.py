"""The config that a converted checkpoint needs."""

from pathlib import Path

from mmdet.datasets import CocoDataset, VOCDataset
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import nn

from ..config.changes import set_classes
from ..config.files import OWN_CONFIGS, load_config
from ..config.parts import is_pretrained, nested_dicts
from ..errors import CheckpointError, ClassNamesError
from ..io.checkpoints import StateDict
from ..registry import MODELS
from .peers import Peer

STYLES = {
    'caffe': dict(mean=[103.530, 116.280, 123.675], std=[1.0, 1.0, 1.0],
                  bgr_to_rgb=False),
    'pytorch': dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375],
                    bgr_to_rgb=True),
}
DEPTHS = {6: 50, 23: 101, 36: 152}  # blocks of layer3


def peer_config(peer: Peer, state: StateDict, classes: list[str], style: str | None,
                data: str | None, base: Path | None = None) -> Config:
    """A config with the peer's settings, and the depth and width of the checkpoint.

    Args:
        peer: The code base.
        state: The weights, under our names.
        classes: The names of the classes.
        style: ``'pytorch'`` or ``'caffe'`` where the peer has both; it also sets how
            pixels are normalised. Default: the peer's usual one.
        data: ``'coco'`` for COCO; else the data set of the config.
        base: A config to use in place of the peer's.
    """
    cfg = load_config(str(base or OWN_CONFIGS / 'peers' / f'{peer.config}.py'),
                      needs=('model', 'test_dataloader'))
    if data == 'coco':
        for name, part in Config.fromfile(
                OWN_CONFIGS / '_base_/datasets/coco.py').items():
            cfg[name] = part
    set_classes(cfg, classes)
    blocks = {name.split('.')[2] for name in state
              if name.startswith('backbone.layer3')}
    for part in nested_dicts(cfg.model):
        if is_pretrained(part):
            part.pop('init_cfg')
        if 'depth' in part:
            part['depth'] = DEPTHS.get(len(blocks), part['depth'])
            if style:
                part['style'] = style
    if 'rpn_head' in cfg.model:
        cfg.model.rpn_head.feat_channels = len(state['rpn_head.rpn_conv.0.bias'])
    if style:
        cfg.model.data_preprocessor.update(STYLES[style])
    return cfg


def build(cfg: Config) -> nn.Module:
    """The detector of a config, with random weights."""
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        return MODELS.build(cfg.model)


def name_classes(num: int, known: list[str] | None, given: list[str] | None,
                 source: str) -> list[str]:
    """The names of a checkpoint's ``num`` classes.

    The ``given`` names come before those that the checkpoint states (``known``), and
    these before the usual ones for 20, 80 and 90 classes.

    Raises:
        ClassNamesError: If there are none of these.
        CheckpointError: If there are not ``num`` of them.
    """
    usual = {80: CocoDataset.METAINFO['classes'], 20: VOCDataset.METAINFO['classes'],
             90: coco_by_number()}
    names = given or known or usual.get(num)
    if names is None:
        raise ClassNamesError(f'{source}: has {num} classes and does not name them')
    if len(names) != num:
        raise CheckpointError(f'{source}: has {num} classes, but {len(names)} names '
                              'were given for them')
    return list(names)


def coco_by_number() -> list[str]:
    """torchvision's 90: the names of COCO by their numbers, ten of which are unused."""
    from torchvision.models.detection import FasterRCNN_ResNet50_FPN_Weights
    names = FasterRCNN_ResNet50_FPN_Weights.COCO_V1.meta['categories'][1:]
    return [name if name != 'N/A' else f'unused {number}'
            for number, name in enumerate(names, 1)]

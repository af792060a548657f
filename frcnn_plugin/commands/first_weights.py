"""``frcnn train FOLDER``: the weights that a training begins with."""

import argparse
import os
import socket

from mmengine.config import Config

from ..backbones.pretrained import read_weights
from ..config.initialisation import start_from
from ..engine.start_from_hook import read_detector
from ..errors import WeightsError
from ..recipe.recipe import WIDTH

PATIENCE = 10  # seconds, with a server that does not answer
RANDOM = 'from random weights'


def set_first_weights(cfg: Config, args: argparse.Namespace) -> str:
    """Start from the best weights at hand; returns which, in words.

    The config has them from here on: ``args`` ask for nothing any more.
    """
    start, pretrained, scratch = args.start, args.pretrained, args.from_scratch
    args.start, args.pretrained, args.from_scratch = None, None, False
    if start:
        read_detector(start)
        start_from(cfg, start)
        return f'from the weights of {start}'
    if scratch:
        return RANDOM
    imagenet = f'torchvision://resnet{cfg.model.backbone.depth}'
    source = pretrained if not pretrained or '://' in pretrained else (
        os.path.abspath(pretrained))
    timeout = socket.getdefaulttimeout()
    try:
        socket.setdefaulttimeout(PATIENCE)
        read_weights(source or imagenet)
    except WeightsError as error:
        if source:
            raise
        print(f'{error}, so it starts from random weights')
        return RANDOM
    finally:
        socket.setdefaulttimeout(timeout)
    cfg.model.backbone.init_cfg = dict(type='Pretrained', checkpoint=source or imagenet)
    return f'from the weights of {pretrained or "ImageNet"}'


def width_of(path: str) -> int:
    """Channels of the first stage of a detector's ResNet; 64 if it is none."""
    stem = read_detector(path)[0].get('backbone.conv1.weight')
    return WIDTH if stem is None else len(stem)

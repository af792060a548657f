"""What the walks through whole detectors share."""

import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope

from frcnn_plugin.config.initialisation import train_from_scratch
from frcnn_plugin.registry import MODELS


def from_scratch(repo, name: str) -> Config:
    """A config without pretrained weights, which tests cannot download."""
    cfg = Config.fromfile(repo / f'configs/{name}.py')
    train_from_scratch(cfg)
    return cfg


def build(cfg: Config):
    """The detector of a config, with its own initialisation."""
    torch.manual_seed(0)
    # for fixtures of a module, which come before the scope of each test
    with DefaultScope.overwrite_default_scope('frcnn_plugin'):
        model = MODELS.build(cfg.model)
        model.init_weights()
    return model


def record(module: torch.nn.Module) -> list[tuple]:
    """The shapes of what a module gives, at each call."""
    shapes: list[tuple] = []
    module.register_forward_hook(lambda m, args, out: shapes.append(tuple(out.shape)))
    return shapes

"""Where the weights of a model come from, as its config says."""

import os
import re

from mmengine.config import Config

from ..errors import ConfigError
from .parts import SCOPE, component_of, is_pretrained, nested_dicts

FROM_SCRATCH = 'from_scratch'
START_HOOK = 'start_from'  # in default_hooks


def set_pretrained(cfg: Config, source: str) -> None:
    """Take pretrained weights from elsewhere, for all parts that start from some."""
    start_elsewhere(cfg)
    nodes = [node for node in nested_dicts(cfg.model)
             if node.get('type') == 'Pretrained']
    if not nodes:
        raise ConfigError('nothing in this config starts from pretrained weights; give '
                          "a part init_cfg=dict(type='Pretrained', ...)")
    for node in nodes:
        node['checkpoint'] = source


def start_from(cfg: Config, path: str) -> None:
    """Begin with the weights of a detector of an earlier run, and no others."""
    if 'steps' in cfg.train_cfg:
        raise ConfigError('alternating training takes pretrained weights twice; it '
                          'cannot start from a detector')
    drop_pretrained(cfg)
    hooks = cfg.setdefault('default_hooks', {})
    hooks[START_HOOK] = dict(type='StartFromHook',
                             checkpoint=os.path.abspath(os.path.expanduser(path)))


def start_elsewhere(cfg: Config) -> None:
    """Do not begin with a detector of an earlier run."""
    (cfg.get('default_hooks') or {}).pop(START_HOOK, None)


def drop_pretrained(cfg: Config) -> None:
    """Ask for no pretrained weights: a checkpoint brings all that are needed."""
    for node in nested_dicts(cfg.model):
        if is_pretrained(node):
            node['init_cfg'] = None


def drop_initialisation(cfg: Config) -> None:
    """Initialise nothing in any particular way: all weights come from a checkpoint."""
    for node in nested_dicts(cfg.model):
        node.pop('init_cfg', None)


def train_from_scratch(cfg: Config) -> None:
    """Drop pretrained weights, and what makes sense on top of them only.

    Random stages are not frozen, and batch normalisation learns its statistics: fixed
    at their initial values they would let the activations grow without bound. Class
    scores start near zero, whatever the scale of random features is.
    """
    start_elsewhere(cfg)
    cfg[FROM_SCRATCH] = True  # remembered in the checkpoints, for resuming
    heads = [(SCOPE, name) for name in ('BBoxHead', 'RPNHead')]
    for node in nested_dicts(cfg.model):
        if component_of(node, cfg.get('default_scope')) in heads:
            node.setdefault('cls_init_std', 0.0001)
        if not is_pretrained(node):
            continue
        node['init_cfg'] = None
        for name, value in (('frozen_stages', -1), ('norm_eval', False),
                            ('norm_requires_grad', True)):
            if name in node:
                node[name] = value
        if 'norm_cfg' in node:  # mmdet's backbones
            node['norm_cfg']['requires_grad'] = True


def is_from_scratch(text: str) -> bool:
    """Whether the text of a config, from a checkpoint, is of a run from scratch."""
    return re.search(rf'\b{FROM_SCRATCH} *= *True', text) is not None

"""Where the weights of a run come from: pretrained, random, or a run that goes on.

Comes in: a config and what the user asked for. Goes out: the same config, changed in
place, with weights that are known to be there.
"""

from mmengine.config import Config

from ..backbones.pretrained import WeightsUnreachable, read_weights
from ..config.parts import is_pretrained, nested_dicts
from ..errors import UserError
from ..io.checkpoints import read_checkpoint
from ..registry import MODELS
from ..roi import BBoxHead
from ..rpn import RPNHead
from .common import say

FROM_SCRATCH = 'from_scratch'


def set_pretrained(cfg: Config, source: str) -> None:
    """Take pretrained weights from elsewhere.

    Raises:
        UserError: If the config has no part that starts from pretrained weights.
    """
    nodes = [node for node in nested_dicts(cfg.model)
             if node.get('type') == 'Pretrained']
    if not nodes:
        raise UserError('--pretrained: nothing in this config starts from pretrained '
                        "weights; give a part init_cfg=dict(type='Pretrained', ...)")
    for node in nodes:
        node['checkpoint'] = source


def settle_pretrained(cfg: Config, from_scratch: bool, trial: bool) -> None:
    """Make sure of the pretrained weights before anything long starts.

    Args:
        cfg: The config.
        from_scratch: Whether the user asked for random weights.
        trial: Whether the run is a short trial. A trial goes on from scratch where the
            weights can not be downloaded, and says so; a real run stops there.

    Raises:
        UserError: If the weights can not be had or are no checkpoint.
    """
    if from_scratch:
        train_from_scratch(cfg)
        return
    sources = {node['checkpoint'] for node in nested_dicts(cfg.model)
               if node.get('type') == 'Pretrained' and 'checkpoint' in node}
    for source in filter(is_read_here, sorted(sources)):
        try:
            read_weights(source)
        except WeightsUnreachable as error:
            if not trial:
                raise
            say(f'ERROR: {error}. This is a trial run (--max-iters), so it goes on '
                'from scratch')
            train_from_scratch(cfg)
            return


def check_load_from(cfg: Config) -> None:
    """Make sure of the checkpoint that a new run starts from, if it names one.

    Raises:
        UserError: If it can not be had, or is no checkpoint.
    """
    source = cfg.get('load_from')
    if source and '://' not in source:
        read_checkpoint(source)
    elif source and is_read_here(source):
        read_weights(source)


def is_read_here(source: str) -> bool:
    """Whether it is a path or URL, and none of mmengine's own schemes."""
    scheme, found, _ = source.partition('://')
    return not found or scheme in ('torchvision', 'http', 'https')


def start_from_checkpoint(cfg: Config, meta: dict, from_scratch: bool) -> None:
    """Go on with a run: its weights come from its checkpoint, nothing else is needed.

    Args:
        cfg: The config.
        meta: The checkpoint's ``meta``; a run from scratch goes on as one.
        from_scratch: Whether the user says that it is one.
    """
    if from_scratch or f'{FROM_SCRATCH} = True' in str(meta.get('cfg', '')):
        train_from_scratch(cfg)
    if 'steps' in cfg.train_cfg:  # alternating training takes them a second time
        settle_pretrained(cfg, from_scratch=False, trial=False)
        return
    for node in nested_dicts(cfg.model):
        if is_pretrained(node):
            node['init_cfg'] = None


def train_from_scratch(cfg: Config) -> None:
    """Drop pretrained weights, and what makes sense on top of them only.

    Random stages are not frozen, and batch normalisation learns its statistics: fixed
    at their initial values they would let the activations grow without bound. Class
    scores start near zero, whatever the scale of random features is.
    """
    cfg[FROM_SCRATCH] = True  # remembered in the checkpoints, for resuming
    for node in nested_dicts(cfg.model):
        if node.get('type') and MODELS.get(node['type']) in (BBoxHead, RPNHead):
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

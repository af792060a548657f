"""The config that a checkpoint carries, which may come from a stranger.

The registries of mmengine import what a ``type`` with dots names, so that
``dict(type='os.system', command=...)`` would be called, and mmcv evaluates the ``type``
of a suppression: only the components of a short list are let through.
"""

from pathlib import Path

from mmengine.config import Config

from ..config.files import drop_old_settings, load_config
from ..config.initialisation import drop_initialisation
from ..config.parts import nested_dicts
from ..config.text import read_config_text
from ..errors import CheckpointError
from ..registry import MODELS, TASK_UTILS

SCOPES = ('frcnn_plugin', 'mmdet')
# Of other packages: parts of a Faster R-CNN that build their parts and do nothing else.
KNOWN = frozenset([
    'FasterRCNN', 'DetDataPreprocessor', 'ResNet', 'FPN', 'RPNHead',
    'StandardRoIHead', 'ResLayer', 'BBoxHead', 'ConvFCBBoxHead',
    'Shared2FCBBoxHead', 'Shared4Conv1FCBBoxHead', 'SingleRoIExtractor',
    'AnchorGenerator', 'LegacyAnchorGenerator', 'DeltaXYWHBBoxCoder',
    'LegacyDeltaXYWHBBoxCoder', 'MaxIoUAssigner', 'RandomSampler', 'PseudoSampler',
    'BboxOverlaps2D', 'CrossEntropyLoss', 'FocalLoss', 'L1Loss', 'SmoothL1Loss',
    'IoULoss', 'GIoULoss', 'BN', 'SyncBN', 'GN', 'ReLU', 'Conv2d', 'RoIPool',
    'RoIAlign', 'nms', 'soft_nms', 'LoadImageFromFile', 'LoadAnnotations',
    'LoadProposals', 'Resize', 'FixScaleResize', 'RandomFlip', 'Pad',
    'ProposalBroadcaster', 'TransformBroadcaster', 'PackDetInputs'])
FILES = {'FileModel', 'TiledModel'}  # of ours, which read files; no parts of a detector


def config_of_checkpoint(checkpoint: str, meta: dict,
                         config: str | Path | None) -> Config:
    """The config of a detector: a file, or what its checkpoint carries.

    Raises:
        ConfigError: If the file cannot be read or is incomplete.
        CheckpointError: If the checkpoint carries no config, or one that is incomplete,
            of another kind of detector, or not allowed.
    """
    if config is not None:
        cfg = load_config(str(config), needs=('model', 'test_dataloader'))
        drop_initialisation(cfg)
        return cfg
    text = meta.get('cfg')
    if not isinstance(text, str):
        raise CheckpointError(f'{checkpoint}: contains no config; pass the one it '
                              'was trained with')
    values = read_config_text(text, checkpoint)
    try:
        cfg = Config(dict(model=values['model'], test_dataloader=dict(dataset={
            key: values['test_dataloader']['dataset'].get(key)
            for key in ('pipeline', 'metainfo')})))
        drop_initialisation(cfg)
        drop_old_settings(cfg)
        check_types([cfg.model, cfg.test_dataloader], checkpoint)
        if str(cfg.model.type).rpartition('.')[2] != 'FasterRCNN':
            raise CheckpointError(
                f'{checkpoint}: contains the config of a {cfg.model.type}, not a '
                'FasterRCNN; pass your own config')
        if values.get('default_scope') in SCOPES:
            cfg.default_scope = values['default_scope']
        if isinstance(values.get('tiles'), int):
            cfg.tiles = values['tiles']
    except (KeyError, AttributeError, TypeError) as error:
        raise CheckpointError(
            f'{checkpoint}: contains an incomplete config ({error!r}); pass the one it '
            'was trained with') from error
    return cfg


def check_types(config: object, source: str) -> None:
    """Refuse components, anywhere in a config, that are not known to be harmless.

    Registered is not enough: some components of mmdet evaluate their arguments, read
    other configs, or download.

    Raises:
        CheckpointError: If a ``type`` is neither one of ours nor a usual one of mmdet,
            or a scope is that of another package.
    """
    known = KNOWN.union(MODELS.module_dict, TASK_UTILS.module_dict) - FILES
    for node in nested_dicts(config):
        scope, _, short = str(node.get('type', 'BN')).rpartition('.')
        scopes = {scope or SCOPES[0], node.get('_scope_', SCOPES[0])}
        if short not in known or not scopes <= set(SCOPES):
            raise CheckpointError(
                f'{source}: refused, the config in it names {node.get("type")!r}, '
                'which is not an allowed component; pass your own config')


def classes_of(meta: dict) -> tuple[str, ...] | None:
    """The classes that a checkpoint's ``meta`` states, that of mmdet 2 too."""
    told = meta.get('dataset_meta') or {}
    known = told.get('classes') or told.get('CLASSES') or meta.get('CLASSES')
    return None if known is None else tuple(known)


def class_names(meta: dict, cfg: Config) -> tuple[str, ...]:
    """The classes as the checkpoint, or else the config, states them."""
    configured = cfg.test_dataloader.dataset.get('metainfo')
    known = classes_of(meta) or (configured or {}).get('classes')
    if known is not None:
        return tuple(known)
    sizes = [node['num_classes'] for node in nested_dicts(cfg.model.get('roi_head'))
             if 'num_classes' in node]
    return tuple(f'class {number}' for number in range(sizes[0] if sizes else 1))

"""Reads a config that a checkpoint carries, as data: nothing in it is run.

Comes in: the text that mmengine wrote, Python by its looks. Goes out: a dict of plain
values, whose components are those of a short list.

mmengine's own readers run such a text, and its registries import what a ``type`` with
dots names: ``dict(type='os.system', command=...)`` would be called. mmcv evaluates the
``type`` of a suppression.
"""

import ast

from .. import registry as ours
from ..config.parts import nested_dicts
from ..errors import UserError

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


def read_config_text(text: str, source: str) -> dict:
    """The values of a config.

    Args:
        text: Assignments of numbers, strings, lists, tuples, dicts and ``dict(...)``.
        source: Where it was read from, for messages.

    Raises:
        UserError: If it holds anything else.
    """
    values = {}
    try:
        for statement in ast.parse(text).body:
            if not isinstance(statement, ast.Assign) or len(statement.targets) != 1 or (
                    not isinstance(statement.targets[0], ast.Name)):
                raise ValueError(f'line {statement.lineno}')
            values[statement.targets[0].id] = literal(statement.value)
    except (SyntaxError, ValueError, RecursionError, TypeError) as error:
        raise UserError(f'{source}: refused, the config in it is more than plain '
                        f'values ({error}); give a config of your own') from error
    return values


def literal(node: ast.expr) -> object:
    """A plain value; raises ValueError for anything that would have to be run."""
    match node:
        case ast.Call(func=ast.Name(id='dict'), args=[], keywords=keywords) if all(
                keyword.arg for keyword in keywords):
            return {keyword.arg: literal(keyword.value) for keyword in keywords}
        case ast.Dict(keys=keys, values=values) if None not in keys:
            return {literal(key): literal(value)
                    for key, value in zip(keys, values, strict=True)}
        case ast.List(elts=items):
            return [literal(item) for item in items]
        case ast.Tuple(elts=items):
            return tuple(literal(item) for item in items)
        case _:
            return ast.literal_eval(node)


def check_types(config: object, source: str) -> None:
    """Refuse components that are not known to be harmless.

    Registered is not enough: some components of mmdet evaluate their arguments, read
    other configs, or download.

    Args:
        config: Any part of a config.
        source: Where it was read from, for messages.

    Raises:
        UserError: If a ``type`` is neither one of ours nor a usual one of mmdet, or a
            scope is that of another package.
    """
    known = KNOWN.union(*(registry.module_dict for registry in (
        ours.MODELS, ours.TASK_UTILS)))
    for node in nested_dicts(config):
        scope, _, short = str(node.get('type', 'BN')).rpartition('.')
        scopes = {scope or SCOPES[0], node.get('_scope_', SCOPES[0])}
        if short not in known or not scopes <= set(SCOPES):
            raise UserError(f'{source}: refused, the config in it names '
                            f'{node.get("type")!r}, which is none of the components '
                            'that a checkpoint may ask for; give a config of your own')

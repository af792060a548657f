"""Reads checkpoints weights-only and makes sure that they fit.

Comes in: a path. Goes out: its content, or one line that says what is wrong with it.
"""

import pickle
from pathlib import Path

import torch
from torch import nn

from .errors import UserError


def read_checkpoint(path: str) -> dict:
    """A checkpoint's content; no code in it is ever run.

    Args:
        path: A file that training wrote, or a bare state dict.

    Returns:
        dict: With at least ``state_dict``.

    Raises:
        UserError: If the file is missing, damaged, no checkpoint, or more than data.
    """
    if not Path(path).is_file():
        raise UserError(f'{path}: no such checkpoint')
    try:
        content = torch.load(path, map_location='cpu', weights_only=True)
    except pickle.UnpicklingError as error:
        reason = str(error).split('Please')[0].splitlines()
        raise UserError(
            f'{path}: refused, it is no checkpoint, or one that holds more than '
            f'weights and plain data and could run code ({reason[-1].strip()})'
        ) from error
    except (RuntimeError, EOFError, OSError, KeyError, ValueError) as error:
        raise UserError(f'{path}: damaged or no checkpoint at all '
                        f'({str(error).splitlines()[0]})') from error
    if not isinstance(content, dict):
        raise UserError(f'{path}: holds a {type(content).__name__}, not a state dict')
    return content if 'state_dict' in content else dict(state_dict=content)


def load_checkpoint(model: nn.Module, path: str) -> dict:
    """Load a checkpoint that must fit the model exactly.

    mmengine loads what fits and warns of the rest, so that a test of the wrong
    checkpoint ends with a number.

    Args:
        model: The detector.
        path: The checkpoint.

    Returns:
        dict: The checkpoint's content.

    Raises:
        UserError: If it can not be read, or its tensors are others than the model's.
    """
    content = read_checkpoint(path)
    state = {name.removeprefix('module.'): value
             for name, value in content['state_dict'].items()}
    wanted = model.state_dict()
    wrong = [name for name in wanted
             if name in state and state[name].shape != wanted[name].shape]
    missing = [name for name in wanted if name not in state]
    unknown = [name for name in state if name not in wanted]
    if wrong:
        name = wrong[0]
        hint = (' (another number of classes: give its own with --classes)'
                if all('bbox_head' in name for name in wrong) else '')
        raise UserError(
            f'{path} does not fit the config: {len(wrong)} tensors have another shape, '
            f'{name} is {tuple(state[name].shape)}, the model has '
            f'{tuple(wanted[name].shape)}{hint}')
    if missing or unknown:
        raise UserError(
            f'{path} is of another model than the config: {len(missing)} tensors are '
            f'missing{_example(missing)}, {len(unknown)} have no place'
            f'{_example(unknown)}')
    model.load_state_dict(state)
    return content


def _example(names: list[str]) -> str:
    return f' ({names[0]}, ...)' if names else ''

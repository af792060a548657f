"""Reads checkpoints weights-only and makes sure that they fit."""

import pickle
import re
from pathlib import Path

import torch
from torch import Tensor, nn

from ..errors import CheckpointError, ClassCountError
from .weights_only import load_weights_only

StateDict = dict[str, Tensor]
WRAPPERS = ('state_dict', 'model')  # under which a checkpoint holds its tensors
# lines of torch's messages that advise to load unsafely; they are not shown
TORCH_ADVICE = (
    'Weights only load failed', 'Please file', 'Please use', 'Check the doc')


def read_checkpoint(path: str | Path) -> dict:
    """A checkpoint's content; no code in it is ever run.

    Returns:
        dict: ``state_dict``, and what else is in the file, which may be a bare state
        dict.

    Raises:
        CheckpointError: If it is missing, damaged, not a checkpoint, or contains code.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        there = sorted(other.name for other in path.parent.glob('*.pth'))
        raise CheckpointError(f'{path}: no such file; ' + (
            f'that folder has {", ".join(there)}' if there else
            'a checkpoint was expected'))
    try:
        content = load_weights_only(path, 'cpu')
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, LookupError,
            ValueError, TypeError, AttributeError, AssertionError) as error:
        reason = _reason(error)
        if not isinstance(error, pickle.UnpicklingError):
            reason = f'{type(error).__name__}: {reason}'
        elif 'operand' not in reason:  # torch's word for what no pickle consists of
            raise CheckpointError(
                f'{path}: refused, it holds more than weights and plain data and could '
                f'run code ({reason})') from error
        raise CheckpointError(f'{path}: damaged or not a checkpoint '
                              f'({path.stat().st_size} bytes; {reason})') from error
    checkpoint = dict(state_dict=state_dict_of(content, str(path)))
    if any(isinstance(content.get(key), dict) for key in WRAPPERS):
        checkpoint.update((key, value) for key, value in content.items()
                          if key not in WRAPPERS)
    return checkpoint


def state_dict_of(content: object, source: str) -> StateDict:
    """The tensors of a checkpoint, by name.

    ``content`` was read from ``source``: a state dict, or a dict with one as
    ``state_dict`` or ``model``. Names come back without a leading ``module.``.

    Raises:
        CheckpointError: If it holds no state dict.
    """
    inside = [content.get(key) for key in WRAPPERS] if isinstance(content, dict) else []
    state = next((each for each in inside if isinstance(each, dict)), content)
    if not isinstance(state, dict) or not state or not all(
            isinstance(name, str) for name in state):
        raise CheckpointError(f'{source}: holds a {type(content).__name__}, but no '
                              'state dict; it is not a checkpoint')
    return {name.removeprefix('module.'): value for name, value in state.items()
            if isinstance(value, Tensor)}


def check_fit(model: nn.Module, state: StateDict, source: str,
              ignore: tuple[str, ...] = ()) -> None:
    """Refuse tensors that are not exactly those of the model.

    mmengine loads what fits and only warns about the rest, so that even a test of the
    wrong checkpoint would give a number.

    ``state`` was read from ``source``; names in it that begin with one of ``ignore``
    may be left over.

    Raises:
        ClassCountError: If only the layers for the classes have the wrong shape.
        CheckpointError: If one is missing, unexpected, not finite, or misshapen.
    """
    wanted = model.state_dict()
    wrong = [name for name in wanted
             if name in state and state[name].shape != wanted[name].shape]
    missing = [name for name in wanted if name not in state]
    unknown = [name for name in state
               if name not in wanted and not name.startswith(ignore)]
    if wrong:
        name = wrong[0]
        text = (f'{source} does not fit the config: {len(wrong)} tensors have the '
                f'wrong shape, {name} is {tuple(state[name].shape)}, the model has '
                f'{tuple(wanted[name].shape)}')
        if all('.fc_cls.' in name or '.fc_reg.' in name for name in wrong):
            raise ClassCountError(f'{text} (wrong number of classes)')
        raise CheckpointError(text)
    if missing or unknown:
        raise CheckpointError(
            f"{source} does not match the config's model: {len(missing)} tensors are "
            f'missing{_example(missing)}, {len(unknown)} are unexpected'
            f'{_example(unknown)}')
    not_finite = [name for name in wanted if not torch.isfinite(state[name]).all()]
    if not_finite:
        raise CheckpointError(
            f'{source}: {not_finite[0]} is not finite (NaN or infinity); the run '
            'that wrote it had diverged, take an earlier checkpoint')


def _reason(error: Exception) -> str:
    """What torch says is wrong, without its advice to load unsafely."""
    text = str(error)
    if asked := re.search(r'GLOBAL (\S+)', text):
        return f'it asks for {asked[1]}'
    said = [line for line in map(str.strip, text.splitlines())
            if line and not line.startswith(TORCH_ADVICE)]
    return said[-1] if said else 'no reason given'


def _example(names: list[str]) -> str:
    return f' ({names[0]}, ...)' if names else ''

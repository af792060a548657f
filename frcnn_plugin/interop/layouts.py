"""The orders in which code bases put the numbers of the same layer.

Every function takes weights under our names and returns the same in another order; the
state dict that it is given stays as it is.
"""

from collections.abc import Callable

import torch

from ..io.checkpoints import StateDict

CLS, REG = 'roi_head.bbox_head.fc_cls.', 'roi_head.bbox_head.fc_reg.'
RPN_CLS, RPN_REG = 'rpn_head.rpn_cls.', 'rpn_head.rpn_reg.'
OUR_NORM_EPS = 1e-5


def _change(state: StateDict, beginning: str | tuple, change: Callable) -> StateDict:
    return {name: change(value) if name.startswith(beginning) else value
            for name, value in state.items()}


def background_last(state: StateDict) -> StateDict:
    """Move the background from class 0 to class C, in the logits and in the deltas.

    Deltas by class must include those of the background.
    """
    state = _change(state, CLS, lambda rows: rows.roll(-1, 0))
    return _change(state, REG, lambda rows: rows.roll(-4, 0))


def background_first(state: StateDict) -> StateDict:
    """From class C to class 0; the inverse of :func:`background_last`."""
    state = _change(state, CLS, lambda rows: rows.roll(1, 0))
    return _change(state, REG, lambda rows: rows.roll(4, 0))


def add_background_deltas(state: StateDict) -> StateDict:
    """Deltas of zero for the background, last, where only classes have some."""
    if has_background_deltas(state):
        return state
    return _change(state, REG, lambda rows: torch.cat(
        [rows, rows.new_zeros(4, *rows.shape[1:])]))


def drop_background_deltas(state: StateDict) -> StateDict:
    """Without the deltas of the background, which nothing reads."""
    if not has_background_deltas(state):
        return state
    return _change(state, REG, lambda rows: rows[:-4])


def has_background_deltas(state: StateDict) -> bool:
    """Whether the background has deltas too."""
    return (f'{REG}weight' in state
            and len(state[f'{REG}weight']) == 4 * len(state[f'{CLS}weight']))


def swap_x_and_y(state: StateDict) -> StateDict:
    """From deltas (dy, dx, dh, dw) to (dx, dy, dw, dh) or back, in both stages."""
    return _change(state, (RPN_REG, REG), lambda rows: rows.unflatten(0, (-1, 4))[
        :, [1, 0, 3, 2]].flatten(0, 1))


def ratios_slowest(state: StateDict) -> StateDict:
    """From anchors by (size, ratio) to (ratio, size), in the layers of the RPN."""
    num = len(state[f'{RPN_REG}bias']) // 4  # anchors of a position, of three ratios
    return _change(state, (RPN_CLS, RPN_REG), lambda rows: rows.unflatten(
        0, (num // 3, 3, -1)).transpose(0, 1).flatten(0, 2))


def swap_objectness(state: StateDict) -> StateDict:
    """From (foreground, background) logits of an anchor to the opposite order.

    Nothing is changed where an anchor has one logit.
    """
    if 2 * len(state[f'{RPN_REG}bias']) != 4 * len(state[f'{RPN_CLS}bias']):
        return state
    return _change(state, RPN_CLS, lambda rows: rows.unflatten(0, (-1, 2)).flip(
        1).flatten(0, 1))


def add_batch_counts(state: StateDict) -> StateDict:
    """A count of 0 batches for frozen batch normalisations, which keep none."""
    state = dict(state)
    for name in [name for name in state if name.endswith('.running_mean')]:
        state.setdefault(name.removesuffix('running_mean') + 'num_batches_tracked',
                         torch.zeros((), dtype=torch.long))
    return state


def as_if_eps(state: StateDict, eps: float) -> StateDict:
    """Variances with which ours normalises as a network with another epsilon does.

    torchvision's published COCO weights are run with 0 instead of 1e-5.
    """
    return {name: value + (eps - OUR_NORM_EPS) if name.endswith('.running_var')
            else value for name, value in state.items()}

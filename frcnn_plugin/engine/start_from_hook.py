"""Starts from the weights of another detector, which may know other classes."""

import re
from collections.abc import Sequence

import torch
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner

from ..errors import CheckpointError
from ..io.checkpoints import StateDict, read_checkpoint
from ..registry import HOOKS
from .frozen_phase_hook import model_of

OF_CLASSES = re.compile(r'(_cls|logits)\.(weight|bias)$')  # heads of other systems
BACKBONE = 'backbone.'
SCORES, DELTAS = ('.fc_cls.weight', '.fc_cls.bias'), ('.fc_reg.weight', '.fc_reg.bias')


@HOOKS.register_module()
class StartFromHook(Hook):
    """Before the first step, takes the weights of an earlier run.

    The backbone must be the same one. Other layers are taken if they have the same
    shape; of the last ones each class has its own part, see :func:`carried_over`. A run
    that is resumed is left alone.

    Args:
        checkpoint: Path of a ``detector.pth`` or a checkpoint of ours.
    """

    def __init__(self, checkpoint: str) -> None:
        self.checkpoint = checkpoint

    def before_train(self, runner: Runner) -> None:
        """Load them.

        Raises:
            CheckpointError: If the file is no detector, or has another backbone.
        """
        if runner.iter > 0:
            return
        state, classes = read_detector(self.checkpoint)
        model = model_of(runner)
        wanted = model.state_dict()
        strange = [name for name in wanted if name.startswith(BACKBONE) and (
            name not in state or state[name].shape != wanted[name].shape)]
        if strange:
            raise CheckpointError(
                f'{self.checkpoint}: of another backbone, {len(strange)} tensors do '
                f'not fit, such as {strange[0]}; a run can only start from a detector '
                'with the backbone of its own config')
        taken = carried_over(state, wanted, classes,
                             runner.train_dataloader.dataset.metainfo['classes'])
        model.load_state_dict(taken, strict=False)
        anew = [name for name in wanted if name not in taken]
        print_log(f'{len(taken)} of {len(wanted)} tensors from {self.checkpoint}' + (
            f'; others start at random: {", ".join(anew)}' if anew else ''),
            logger='current')


def read_detector(path: str) -> tuple[StateDict, list[str]]:
    """The weights and classes of a checkpoint of ours.

    Raises:
        CheckpointError: If it is not a checkpoint, or does not name its classes.
    """
    content = read_checkpoint(path)
    meta = content.get('meta')
    data = meta.get('dataset_meta') if isinstance(meta, dict) else None
    if not isinstance(data, dict) or not data.get('classes'):
        raise CheckpointError(f'{path}: does not say which classes it knows; take a '
                              'detector.pth, or a checkpoint of a training')
    return content['state_dict'], list(data['classes'])


def carried_over(state: StateDict, wanted: StateDict, known: Sequence[str],
                 classes: Sequence[str]) -> StateDict:
    """What of a detector's weights another one starts from.

    Args:
        state: The weights that are there.
        wanted: Those of the new detector, as they were initialised.
        known: The classes of ``state``, in the order of their labels.
        classes: Those of the new detector.

    Returns:
        dict: Tensors with the shapes of ``wanted``, without those that do not fit. If
        the classes differ, the class layers of heads other than ours are left out too.
        A class of the same name, and the background, keep their scores. A new class is
        scored as initialised; its box deltas are the mean over the known classes.
    """
    taken, same = {}, list(known) == list(classes)
    for name, new in wanted.items():
        old = state.get(name)
        if old is None or old.shape[1:] != new.shape[1:]:
            continue
        if name.endswith(SCORES):
            taken[name] = new.clone()
            for place, each in enumerate(classes):
                if each in known:
                    taken[name][place] = old[known.index(each)]
            taken[name][-1] = old[-1]
        elif name.endswith(DELTAS):
            old, new = old.unflatten(0, (-1, 4)), new.unflatten(0, (-1, 4))
            each_own = len(new) >= len(classes)  # or one set for all
            mean = old[:len(known)].mean(0)
            rows = [old[known.index(each)] if each_own and len(old) > 1 and
                    each in known else mean for each in classes]
            rows += [old[-1]] * (len(new) - len(classes))  # of the background
            taken[name] = torch.stack(rows[:len(new)]).flatten(0, 1)
        elif old.shape == new.shape and (
                same or name.startswith('rpn_head.') or not OF_CLASSES.search(name)):
            taken[name] = old
    return taken

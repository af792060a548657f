"""A first phase of training in which parts of the detector are frozen."""

from collections.abc import Sequence

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import nn

from ..errors import ConfigError, SettingError
from ..registry import HOOKS


@HOOKS.register_module()
class FrozenPhaseHook(Hook):
    """Trains the heads alone at first, then everything.

    Source: bubbliiiing's faster-rcnn-pytorch, which freezes the pretrained backbone for
    the first half of its epochs, so that random heads do not spoil it.

    Args:
        until: The first iteration, counted from 0, in which everything is trained.
        parts: The parts of :class:`FasterRCNN` that are frozen before it.
        freeze_bn: Whether the running statistics of batch normalisation are frozen for
            the whole training.

    Raises:
        ConfigError: In training, if the model is not a ``FasterRCNN`` of ours.
        SettingError: In training, if a distributed job would wait for the gradients of
            frozen parts.
    """

    def __init__(self, until: int, parts: Sequence[str] = ('backbone',),
                 freeze_bn: bool = True) -> None:
        self.until, self.parts, self.freeze_bn = until, tuple(parts), freeze_bn
        self.frozen: bool | None = None  # None before the first iteration

    def before_train(self, runner: Runner) -> None:
        """Freeze the statistics."""
        require_unused_parameters(runner, 'FrozenPhaseHook')
        if self.freeze_bn:
            detector_of(runner).freeze_bn()

    def before_train_iter(self, runner: Runner, batch_idx: int,
                          data_batch=None) -> None:
        """Freeze or unfreeze the parts, in the first iteration of a phase."""
        frozen = runner.iter < self.until
        if frozen == self.frozen:
            return
        self.frozen, detector = frozen, detector_of(runner)
        if frozen:
            detector.freeze_parts(*self.parts)
            text = f'{", ".join(self.parts)}: frozen until iteration {self.until}'
        else:
            detector.unfreeze_parts()
            text = 'everything is trained from now on'
        print_log(text, logger='current')


def model_of(runner: Runner) -> nn.Module:
    """The model inside its distributed wrapper, if there is one."""
    return runner.model.module if is_model_wrapper(runner.model) else runner.model


def require_unused_parameters(runner: Runner, user: str) -> None:
    """Refuse a distributed job that would wait for the gradients of frozen parts."""
    if not getattr(runner.model, 'find_unused_parameters', True):
        raise SettingError(f'{user} in a distributed job needs '
                           'find_unused_parameters=True in the config')


def detector_of(runner: Runner) -> nn.Module:
    """The model; raises :class:`ConfigError` if it cannot be trained in phases."""
    model = model_of(runner)
    if not hasattr(model, 'freeze_parts'):
        raise ConfigError(
            f'{type(model).__name__} cannot be trained in phases; FrozenPhaseHook and '
            "AlternatingTrainLoop need type='frcnn_plugin.FasterRCNN', which takes "
            'heads of mmdet, too')
    return model

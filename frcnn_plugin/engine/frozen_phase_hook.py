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
        until: The first iteration in which everything is trained.
        parts: The parts of :class:`FasterRCNN` that are frozen before it.
        freeze_bn: Whether the running statistics of batch normalisation are frozen for
            the whole training.
    """

    def __init__(self, until: int, parts: Sequence[str] = ('backbone',),
                 freeze_bn: bool = True) -> None:
        self.until = until
        self.parts = tuple(parts)
        self.freeze_bn = freeze_bn
        self.frozen: bool | None = None

    def before_train(self, runner: Runner) -> None:
        """Freeze the statistics.

        Raises:
            SettingError: If a distributed job would wait for the gradients of frozen
                parts.
        """
        if is_model_wrapper(runner.model) and not getattr(
                runner.model, 'find_unused_parameters', True):
            raise SettingError('FrozenPhaseHook in a distributed job needs '
                               'find_unused_parameters=True in the config')
        if self.freeze_bn:
            detector_of(runner).freeze_bn()

    def before_train_iter(self, runner: Runner, batch_idx: int,
                          data_batch=None) -> None:
        """Freeze or unfreeze the parts, in the first iteration of a phase."""
        frozen = runner.iter < self.until
        if frozen == self.frozen:
            return
        self.frozen = frozen
        detector = detector_of(runner)
        if frozen:
            detector.freeze_parts(*self.parts)
            print_log(f'{", ".join(self.parts)}: frozen until iteration {self.until}',
                      logger='current')
        else:
            detector.unfreeze_parts()
            print_log('everything is trained from now on', logger='current')


def model_of(runner: Runner) -> nn.Module:
    """The model inside its distributed wrapper, if there is one."""
    return runner.model.module if is_model_wrapper(runner.model) else runner.model


def detector_of(runner: Runner) -> nn.Module:
    """The model, if it can be trained in phases.

    Raises:
        ConfigError: If it cannot.
    """
    model = model_of(runner)
    if not hasattr(model, 'freeze_parts'):
        raise ConfigError(
            f'{type(model).__name__} cannot be trained in phases; FrozenPhaseHook and '
            "AlternatingTrainLoop need type='frcnn_plugin.FasterRCNN', which takes "
            'heads of mmdet, too')
    return model

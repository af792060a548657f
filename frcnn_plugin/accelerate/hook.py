"""Puts the fast parts on a detector when a run begins."""

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from ..registry import HOOKS
from .training import for_training


@HOOKS.register_module()
class AccelerateHook(Hook):
    """Makes the detector of a run fast: :func:`for_training`, in tests too.

    It comes after the weights are initialised or loaded. Without it a run computes the
    same in the plain order, bit for bit that of the peers' code:
    ``default_hooks=dict(accelerate=None)``.
    """

    priority = 'VERY_HIGH'

    def before_train(self, runner: Runner) -> None:
        """Replace plain parts by faster ones."""
        model = runner.model
        for_training(model.module if is_model_wrapper(model) else model)

    before_val = before_test = before_train

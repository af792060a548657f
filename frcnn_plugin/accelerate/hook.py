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
        """Replace plain parts by faster ones.

        A wrapper of a distributed job is made anew: its buckets of gradients have the
        order of memory that the weights had when it was made, and its first step would
        sum the gradients in the wrong places.
        """
        if not is_model_wrapper(runner.model):
            for_training(runner.model)
            return
        detector = runner.model.module
        runner.model = None  # the old wrapper lets go of the weights first
        runner.model = runner.wrap_model(
            runner.cfg.get('model_wrapper_cfg'), for_training(detector))

    def before_val(self, runner: Runner) -> None:
        """The same where nothing is trained; in training it is done already."""
        model = runner.model
        for_training(model.module if is_model_wrapper(model) else model)

    before_test = before_val

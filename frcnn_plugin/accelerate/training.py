"""A detector made ready to train: the same losses, in less time."""

import torch
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import nn

from ..registry import HOOKS
from .parts import on_cpu, replace_convolutions, replace_parts


def for_training(detector: nn.Module) -> nn.Module:
    """Order memory by pixels, and replace plain parts by faster ones.

    Losses are the same to 1e-5, but the last bit decides at the kink of every ReLU, so
    that single entries of a gradient differ by up to a thousandth of its largest.
    Parameters stay the same objects: an optimizer that holds them stays valid.

    * ``channels_last``, as in :func:`for_inference`;
    * anchors and proposals compared with ground truth in blocks, and boxes suppressed
      from the best one on until there are enough;
    * on a GPU, RoIAlign and suppression by kernels of our own, if Triton runs there;
    * on a CPU, RoIAlign and RoIPool by pixels, the first convolutions of ``layer4``
      before RoIAlign (``c5_on_map.py``), and, where that is faster, gradients of
      convolutions' weights by matrix products.

    Args:
        detector: A ``FasterRCNN``, or any module that holds parts of ours.

    Returns:
        nn.Module: The detector; its checkpoints have the same names and shapes.
    """
    detector.to(memory_format=torch.channels_last)
    replace_parts(detector)
    if on_cpu(detector):
        replace_convolutions(detector)
    return detector


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

        A distributed wrapper is rebuilt: its gradient buckets have the memory order
        that the weights had when it was built, and its first step would sum the
        gradients in the wrong places.
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

"""Losses that are not finite end a training step before its backward pass."""

import torch
from mmengine.dist import all_reduce
from torch import Tensor


class NonFiniteLoss(Exception):
    """A loss is NaN or infinite; ``losses`` are all of the step, by name."""

    def __init__(self, losses: dict[str, float]) -> None:
        self.losses = losses
        bad = [f'{name} is {value}' for name, value in losses.items()
               if name != 'loss' and not abs(value) < float('inf')]
        super().__init__(', '.join(bad) or 'the loss of another process is not finite')


class FiniteLosses:
    """Checks the losses of each training step; mixed into a detector.

    Attributes:
        check_losses (bool): Whether to check. The host then waits for the device once
            a step.
    """

    check_losses = False

    def parse_losses(self, losses: dict) -> tuple[Tensor, dict[str, Tensor]]:
        """mmengine's: the loss to minimise, and all losses by name.

        Raises:
            NonFiniteLoss: In all processes of a job, if the loss of one is not finite.
        """
        total, by_name = super().parse_losses(losses)
        if self.check_losses:
            check_finite(total, by_name)
        return total, by_name


def check_finite(total: Tensor, losses: dict[str, Tensor]) -> None:
    """Raise if the loss to minimise is not finite; ``losses`` tell which one it was.

    Raises:
        NonFiniteLoss: In all processes of a job, if the loss of one is not finite.
    """
    bad = (~torch.isfinite(total.detach())).float().reshape(1)
    all_reduce(bad, 'max')
    if bad.item():
        raise NonFiniteLoss({name: float(value.detach())
                             for name, value in losses.items()})

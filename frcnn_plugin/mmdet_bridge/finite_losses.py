"""Losses that are no numbers, seen before they reach a weight."""

import torch
from mmengine.dist import all_reduce
from torch import Tensor


class NonFiniteLoss(Exception):
    """A loss is NaN or infinite.

    Args:
        losses: All losses of the step, by name.
    """

    def __init__(self, losses: dict[str, float]) -> None:
        self.losses = losses
        bad = [f'{name} is {value}' for name, value in losses.items()
               if name != 'loss' and not abs(value) < float('inf')]
        super().__init__(', '.join(bad) or 'the loss of another process is not finite')


class FiniteLosses:
    """Ends a training step before its backward pass if its loss is not finite.

    Mixed into a detector of mmengine. The host waits for the loss once a step, so it is
    a choice. All processes of a job stop together.

    Attributes:
        check_losses (bool): Whether losses are looked at.
    """

    check_losses = False

    def parse_losses(self, losses: dict[str, Tensor]) -> tuple[Tensor, dict]:
        """mmengine's sum of the losses.

        Raises:
            NonFiniteLoss: If it is NaN or infinite and losses are looked at.
        """
        total, by_name = super().parse_losses(losses)
        if self.check_losses:
            bad = (~torch.isfinite(total.detach())).float().reshape(1)
            all_reduce(bad, 'max')
            if bad.item():
                raise NonFiniteLoss({name: float(value.detach())
                                     for name, value in by_name.items()})
        return total, by_name

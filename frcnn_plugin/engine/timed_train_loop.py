"""Training for a time instead of a number of steps."""

import math
from collections.abc import Sequence
from time import monotonic

import torch
from mmengine.dist import broadcast
from mmengine.runner import Runner
from torch import nn

from ..datasets.batch_random_scale import SHARE_KEY
from ..errors import SettingError
from ..registry import LOOPS
from .resume.loops import IterBasedTrainLoop

SPENT_KEY = 'seconds_spent'  # in mmengine's message hub, and so in checkpoints
WARM_UP = 0.03  # the share of the time in which the learning rate rises
FORWARD = 0.6  # times a step's seconds: the most that detecting in its images takes
EARLY = 0.05  # the largest share of the time for a validation before the last
UNKNOWN = 10**6  # steps: before the first one nobody knows how many there is time for
MOST = 0.2  # the largest share of the time kept for a validation not yet timed
MARGIN = 1.1  # times the previous validation's seconds: what is kept for the last
CLOSING = 8.0  # seconds kept for reports and checkpoints after the last validation


@LOOPS.register_module()
class TimedTrainLoop(IterBasedTrainLoop):
    """Trains for so many minutes, the last validation and what follows included.

    The learning rate follows the share of the time that is used and not the steps: it
    rises in the first 3 % and falls on a half cosine, so that it has fallen when the
    time is over, on a fast machine or on a busy one. A resumed run has the time that
    its checkpoint had left.

    Args:
        minutes: How long it may take.
        spent: Seconds of them that were used before this loop was made.
        validate_at: Shares of the time at which it is validated before the end, where
            that costs little.
        **kwargs: Those of :class:`IterBasedTrainLoop`.

    Raises:
        SettingError: If ``minutes`` is not positive, or a number of steps is given.
    """

    def __init__(self, runner: Runner, dataloader, minutes: float, spent: float = 0.0,
                 validate_at: Sequence[float] = (0.1,), **kwargs) -> None:
        if not minutes > 0:
            raise SettingError(f'train_cfg.minutes is {minutes}; it must be above 0')
        if 'max_iters' in kwargs:
            raise SettingError(
                f'train_cfg.max_iters is {kwargs["max_iters"]}; it trains for a time, '
                'train_cfg.minutes, so leave it out')
        super().__init__(runner, dataloader, max_iters=1, **kwargs)
        self.seconds, self.validate_at = 60 * minutes, sorted(validate_at)
        self.start = monotonic() - spent
        self.validation: float | None = None  # what one takes, in seconds
        self.step = 0.0  # what one takes, in seconds

    def run(self) -> nn.Module:
        """Run the steps that there is time for."""
        hub = self.runner.message_hub
        self.start -= hub.runtime_info.get(SPENT_KEY, 0.0)
        self.begin()
        self.runner.call_hook('before_train_epoch')
        self.dataloader.skip(self._iter)
        batches = self.dataloader.endless()
        share, first = self.share(), self._iter + 1
        while share < 1 and not self.stop_training:
            self._max_iters = self._iter + self.steps_left()
            set_rate(self.runner.optim_wrapper, share)
            hub.update_info(SHARE_KEY, share)
            self.runner.model.train()
            began = monotonic()
            self.run_iter(next(batches))
            took = monotonic() - began
            # the first step starts workers too, and is forgotten after the second
            self.step = (0.9 * self.step + 0.1 * took if self._iter > first + 1
                         else took)
            hub.update_info(SPENT_KEY, self.spent())
            before, share = share, self.share()
            if any(before < part <= share for part in self.validate_at) and (
                    agreed(self.validation_takes()) < EARLY * self.seconds):
                self.validate()
                share = self.share()
        self._max_iters, self.stop_training = self._iter, True  # save this state
        hub.update_info(SPENT_KEY, self.seconds)  # resumed, it is not trained further
        self.validate()
        self.runner.call_hook('after_train_epoch')
        self.runner.call_hook('after_train')
        return self.runner.model

    def spent(self) -> float:
        """Seconds since the start, those of the runs that this one continues too."""
        return monotonic() - self.start

    def reserve(self) -> float:
        """Seconds to keep for the last validation and what comes after it."""
        return CLOSING + MARGIN * self.validation_takes()

    def validation_takes(self) -> float:
        """Seconds of a validation: of the last one, or estimated from a step's."""
        if self.runner.val_loop is None:
            return 0.0
        if self.validation is not None:
            return self.validation
        images = len(self.runner.val_loop.dataloader.dataset)
        batch = self.dataloader.batch_sampler.batch_sampler.batch_size
        return min(validation_seconds(self.step, images, batch), MOST * self.seconds)

    def share(self) -> float:
        """The share of the time for training that is used; the same in each process."""
        limit = self.seconds - self.reserve() - self.step / 2
        return agreed(min(self.spent() / max(limit, 1e-9), 1.0))

    def steps_left(self) -> int:
        """How many more steps there is time for, as far as is known."""
        left = self.seconds - self.reserve() - self.spent()
        return max(1, round(left / self.step)) if self.step else UNKNOWN

    def validate(self) -> None:
        """Validate, and note how long it takes."""
        began = monotonic()
        super().validate()
        self.validation = monotonic() - began


def validation_seconds(step: float, images: int, batch: int) -> float:
    """What a validation of so many images takes at most, by a step's seconds."""
    return FORWARD * step * images / batch


def agreed(value: float) -> float:
    """The value of the first process."""
    tensor = torch.tensor(value)
    broadcast(tensor)
    return tensor.item()


def set_rate(optim_wrapper, share: float) -> None:
    """Set the learning rate of a share of the run: warm-up, then half a cosine.

    mmengine's schedulers follow steps, whose number is not known here.
    """
    factor = min(1.0, (share + 1e-3) / WARM_UP) * (1 + math.cos(math.pi * share)) / 2
    for group in optim_wrapper.param_groups:
        group['lr'] = group.setdefault('initial_lr', group['lr']) * factor

"""mmengine's training loops, made so that a run that goes on is the same run.

Comes in: what mmengine's loops take. Goes out: a trained model.

Every iteration sets all random states from the seed, the process and its own number,
and so does every draw from the data (``datasets/resumable_loader.py``). A run that
stops and goes on computes what it would have computed: losses and weights are the same,
on a CPU bit for bit.
"""

import logging

from mmengine import runner as stock
from mmengine.dist import broadcast, get_rank
from mmengine.logging import print_log
from mmengine.runner import Runner
from torch import nn

from ...errors import UserError
from ...mmdet_bridge.finite_losses import NonFiniteLoss
from ...registry import LOOPS
from ..frozen_phase_hook import model_of
from ..snapshot import (
    broken_buffers,
    image_names,
    save_snapshot,
)
from .checkpoint_hook import window_of
from .loader import ResumableLoader
from .seeds import set_random_state

VALIDATED = 'last_validation'  # in the message hub, and so in the checkpoints
SKIPPED = 'skipped_batches'  # likewise


class Resumable:
    """What the two loops have in common.

    Args:
        runner: The runner.
        dataloader: A loader or its config.
        max_broken: So many samples of the training data may fail while they are loaded
            and are skipped.
        non_finite: What becomes of a batch whose loss is NaN or infinite: ``'stop'``,
            with a snapshot; ``'skip'``, up to ``max_skipped`` times; ``'ignore'``, and
            the host need not wait for the loss.
        max_skipped: See ``non_finite``.
        **kwargs: The stock loop's.

    Raises:
        UserError: If ``non_finite`` is none of these; in training, if it stops.
    """

    def __init__(self, runner: Runner, dataloader, max_broken: int = 10,
                 non_finite: str = 'stop', max_skipped: int = 10, **kwargs) -> None:
        if non_finite not in ('stop', 'skip', 'ignore'):
            raise UserError(f"train_cfg.non_finite is {non_finite!r}, neither 'stop' "
                            "nor 'skip' nor 'ignore'")
        self.non_finite, self.max_skipped, self.skipped = non_finite, max_skipped, 0
        if isinstance(dataloader, dict):
            dataloader = runner.build_dataloader(
                dataloader, seed=runner.seed,
                diff_rank_seed=runner._randomness_cfg.get('diff_rank_seed', False))
        loader = ResumableLoader(dataloader, (runner.seed, get_rank()), max_broken)
        super().__init__(runner, loader, **kwargs)

    def begin(self) -> None:
        """What comes before the first iteration.

        Raises:
            UserError: If batches may be skipped where gradients are added up.
        """
        if self.non_finite == 'skip' and window_of(self.runner) > 1:
            raise UserError("train_cfg.non_finite='skip' and "
                            'optim_wrapper.accumulative_counts > 1 do not go together: '
                            'a batch is not skipped alone')
        self.skipped = self.runner.message_hub.runtime_info.get(SKIPPED, 0)
        model, looks = model_of(self.runner), self.non_finite != 'ignore'
        if hasattr(model, 'check_losses'):
            model.check_losses = looks
            if looks and next(model.parameters()).is_cuda:
                print_log('the host waits for the loss once a step, to see that it is '
                          'finite; train_cfg.non_finite=ignore leaves that out',
                          logger='current')
        self.looks_after_step = looks and not hasattr(model, 'check_losses')
        self.runner.call_hook('before_train')

    def run_iter(self, *batch) -> None:
        """One iteration, with random states of its own."""
        set_random_state(self.runner.seed, get_rank(), self._iter)
        try:
            super().run_iter(*batch)
            if self.looks_after_step:
                self.check_logged_loss()
        except NonFiniteLoss as error:
            self.skip_or_stop(error, batch[-1])
            self.runner.call_hook('after_train_iter', batch_idx=self._iter,
                                  data_batch=batch[-1], outputs=None)
            self._iter += 1

    def check_logged_loss(self) -> None:
        """For a detector that does not look at its losses itself: stop too late."""
        loss = float(self.runner.message_hub.get_scalar('train/loss').current())
        if not abs(loss) < float('inf'):
            self.non_finite = 'stop'  # the weights have had it
            self._iter -= 1  # the step that it is about is counted already
            raise NonFiniteLoss(dict(the_loss=loss))

    def skip_or_stop(self, error: NonFiniteLoss, batch: dict) -> None:
        """Count a batch whose loss is not finite, or end the run."""
        model = model_of(self.runner)
        names = ', '.join(image_names(batch))
        text = f'iteration {self._iter + 1}: {error}; images: {names}'
        self.skipped += 1
        self.runner.message_hub.update_info(SKIPPED, self.skipped)
        spoilt = broken_buffers(model)
        if self.non_finite == 'skip' and self.skipped <= self.max_skipped and (
                not spoilt):
            print_log(f'skipped {text}', logger='current', level=logging.WARNING)
            return
        path = save_snapshot(self.runner, model, batch, error.losses)
        why, remedy = '', ''
        if self.non_finite == 'stop':
            remedy = (', or let such batches out with --cfg-options '
                      'train_cfg.non_finite=skip')
        if spoilt:
            why = f'; {spoilt[0]} is spoilt, so that the batch can not be skipped'
        elif self.non_finite == 'skip':
            why = f'; more than train_cfg.max_skipped={self.max_skipped} were skipped'
        raise UserError(
            f'{text}; the batch, its losses and the weights are in {path}{why}. Lower '
            'optim_wrapper.optimizer.lr, or clip gradients '
            f'(optim_wrapper.clip_grad.max_norm=10){remedy}') from error

    def validate(self, due: bool) -> None:
        """Validate if that is due and was not done before the run was stopped."""
        loop, hub = self.runner.val_loop, self.runner.message_hub
        done = hub.get_info(VALIDATED) if VALIDATED in hub.runtime_info else None
        if loop is not None and due and done != self._iter:
            hub.update_info(VALIDATED, self._iter)
            for buffer in self.runner.model.buffers():
                broadcast(buffer)  # all processes validate what the first one stores
            loop.run()


@LOOPS.register_module()
class IterBasedTrainLoop(Resumable, stock.IterBasedTrainLoop):
    """Trains for a number of iterations; see the stock loop for its arguments."""

    def run(self) -> nn.Module:
        """Run what is left."""
        self.begin()
        self.runner.call_hook('before_train_epoch')
        self.dataloader.skip(self._iter)
        batches = self.dataloader.endless()
        self.validate_if_due()
        while self._iter < self._max_iters and not self.stop_training:
            self.runner.model.train()
            self.run_iter(next(batches))
            self.validate_if_due()
        self.runner.call_hook('after_train_epoch')
        self.runner.call_hook('after_train')
        return self.runner.model

    def validate_if_due(self) -> None:
        """Validate behind every ``val_interval``-th iteration and the last one."""
        self._decide_current_val_interval()
        self.validate(self._iter >= self.val_begin and self._iter > 0 and (
            self._iter % self.val_interval == 0 or self._iter == self._max_iters))


@LOOPS.register_module()
class EpochBasedTrainLoop(Resumable, stock.EpochBasedTrainLoop):
    """Trains for a number of epochs; see the stock loop for its arguments.

    It goes on inside an epoch, where the checkpoint hook saves by iterations.
    """

    def run(self) -> nn.Module:
        """Run what is left."""
        self.begin()
        if self._iter == self._epoch * len(self.dataloader):
            self.validate_if_due()
        while self._epoch < self._max_epochs and not self.stop_training:
            self.run_epoch()
            self.validate_if_due()
        self.runner.call_hook('after_train')
        return self.runner.model

    def run_epoch(self) -> None:
        """Run what is left of an epoch."""
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        done = self._iter - self._epoch * len(self.dataloader)
        self.dataloader.batch_sampler.set_epoch(self._epoch)
        self.dataloader.skip(done)
        for number, batch in enumerate(self.dataloader, done):
            self.run_iter(number, batch)
        self.runner.call_hook('after_train_epoch')
        self._epoch += 1

    def validate_if_due(self) -> None:
        """Validate behind every ``val_interval``-th epoch and the last one."""
        self._decide_current_val_interval()
        self.validate(self._epoch >= self.val_begin and self._epoch > 0 and (
            self._epoch % self.val_interval == 0 or self._epoch == self._max_epochs))

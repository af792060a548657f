"""mmengine's training loops, for runs that are the same when stopped and resumed.

A resumed run computes what the run would have computed: losses and weights are the
same, on a CPU bit for bit.
"""

import logging
from pathlib import Path

import torch
from mmengine import runner as stock
from mmengine.dist import broadcast, get_rank
from mmengine.logging import print_log
from mmengine.runner import Runner
from torch import nn

from ...datasets.batch_random_scale import SHARE_KEY
from ...errors import NonFiniteLossError, SettingError
from ...mmdet_bridge.finite_losses import NonFiniteLoss, check_finite
from ...registry import LOOPS
from ..frozen_phase_hook import model_of
from ..snapshot import save_snapshot
from .checkpoint_hook import accumulative_counts
from .loader import ResumableLoader
from .seeds import set_random_state

# in mmengine's message hub, and so in checkpoints
LAST_VALIDATION_KEY = 'last_validation'
SKIPPED_BATCHES_KEY = 'skipped_batches'
EPOCH_KEY = 'epoch_begun'  # its number, the iterations before it, its batches


class ResumableLoop:
    """What the two loops have in common.

    Unless ``non_finite`` is ``'ignore'``, the losses of every step are checked before
    the backward pass: by ``FasterRCNN`` itself, for other models by
    :func:`check_losses_of`.

    Args:
        max_broken: How many pictures of the training data may fail to load; others take
            their place.
        non_finite: What to do with a batch whose loss is NaN or infinite: ``'stop'``
            the run with a snapshot of the batch; ``'skip'`` it, up to ``max_skipped``
            times; ``'ignore'`` the loss, so that the host need not wait for it.
        **kwargs: The stock loop's.

    Raises:
        SettingError: If ``non_finite`` is none of these, or batches may be skipped
            where gradients are accumulated.
        NonFiniteLossError: In training, if a loss is not finite and the batch may not
            or cannot be skipped.
    """

    def __init__(self, runner: Runner, dataloader, max_broken: int = 10,
                 non_finite: str = 'stop', max_skipped: int = 10, **kwargs) -> None:
        if non_finite not in ('stop', 'skip', 'ignore'):
            raise SettingError(f"train_cfg.non_finite is {non_finite!r}, neither "
                               "'stop' nor 'skip' nor 'ignore'")
        self.non_finite, self.max_skipped, self.skipped = non_finite, max_skipped, 0
        if isinstance(dataloader, dict):
            dataloader = runner.build_dataloader(
                dataloader, seed=runner.seed,
                diff_rank_seed=runner._randomness_cfg.get('diff_rank_seed', False))
        loader = ResumableLoader(dataloader, (runner.seed, get_rank()), max_broken)
        super().__init__(runner, loader, **kwargs)

    def begin(self) -> None:
        """Prepare for the first iteration."""
        if self.non_finite == 'skip' and accumulative_counts(self.runner) > 1:
            raise SettingError(
                "train_cfg.non_finite='skip' and optim_wrapper.accumulative_counts > 1 "
                'do not go together: the other batches of an update would be lost')
        self.skipped = self.runner.message_hub.runtime_info.get(SKIPPED_BATCHES_KEY, 0)
        self.runner.message_hub.runtime_info.pop(SHARE_KEY, None)  # of an earlier loop
        model, check = model_of(self.runner), self.non_finite != 'ignore'
        if hasattr(model, 'check_losses'):
            model.check_losses = check
        elif check:
            check_losses_of(model)
        if check and next(model.parameters()).device.type != 'cpu':
            print_log('the check that losses are finite waits for the device once a '
                      "step; train_cfg.non_finite='ignore' leaves it out",
                      logger='current')
        self.runner.call_hook('before_train')

    def run_iter(self, *batch) -> None:
        """Run one iteration, with the random state of its position in the run."""
        set_random_state(self.runner.seed, get_rank(), self._iter)
        try:
            super().run_iter(*batch)
        except NonFiniteLoss as error:
            self.skip_or_stop(error, batch[-1])
            self.runner.call_hook('after_train_iter', batch_idx=self._iter,
                                  data_batch=batch[-1], outputs=None)
            self._iter += 1

    def skip_or_stop(self, error: NonFiniteLoss, batch: dict) -> None:
        """Count a batch whose loss is not finite, or end the run."""
        model = model_of(self.runner)
        images = [str(sample.metainfo.get('img_path', 'an image without a name'))
                  for sample in batch['data_samples']]
        text = f'iteration {self._iter + 1}: {error}; images: {", ".join(images)}'
        self.skipped += 1
        self.runner.message_hub.update_info(SKIPPED_BATCHES_KEY, self.skipped)
        # statistics that the forward pass of a bad batch has spoiled
        corrupted = [name for name, value in model.named_buffers()
                     if value.is_floating_point() and not torch.isfinite(value).all()]
        reason = remedy = ''
        if self.non_finite == 'stop':
            remedy = ', or skip such batches (train_cfg.non_finite=skip)'
        if corrupted:
            reason = (f'; the batch cannot be skipped, for {corrupted[0]} is not '
                      'finite now')
        elif self.non_finite == 'skip':
            if self.skipped <= self.max_skipped:
                print_log(f'skipped {text}', logger='current', level=logging.WARNING)
                return
            reason = f'; more than train_cfg.max_skipped={self.max_skipped} skipped'
        path = Path(self.runner.work_dir) / f'non_finite_iter_{self._iter + 1}.pt'
        save_snapshot(path, model, batch, images, error.losses)
        raise NonFiniteLossError(
            f'{text}; the batch, its losses and the weights are in {path}{reason}. '
            'Lower optim_wrapper.optimizer.lr, or clip gradients '
            f'(optim_wrapper.clip_grad.max_norm=10){remedy}') from error

    def validate_if_due(self, done: int, last: int) -> None:
        """Validate after every ``val_interval``-th iteration or epoch and the last."""
        self._decide_current_val_interval()
        if done >= max(self.val_begin, 1) and (
                done % self.val_interval == 0 or done == last):
            self.validate()

    def validate(self) -> None:
        """Validate, but not again if it was done before the run was stopped."""
        loop, hub = self.runner.val_loop, self.runner.message_hub
        if loop is not None and (
                hub.runtime_info.get(LAST_VALIDATION_KEY) != self._iter):
            hub.update_info(LAST_VALIDATION_KEY, self._iter)
            for buffer in self.runner.model.buffers():
                broadcast(buffer)  # all processes validate what the first one stores
            loop.run()


def check_losses_of(model: nn.Module) -> None:
    """Give a model of mmdet the ``check_losses`` of :class:`FiniteLosses`."""
    model.check_losses, parse_losses = True, model.parse_losses

    def parse_and_check(losses: dict) -> tuple:
        total, by_name = parse_losses(losses)
        if model.check_losses:
            check_finite(total, by_name)
        return total, by_name

    model.parse_losses = parse_and_check


@LOOPS.register_module()
class IterBasedTrainLoop(ResumableLoop, stock.IterBasedTrainLoop):
    """Trains for a number of iterations; see the stock loop for its arguments."""

    def run(self) -> nn.Module:
        """Run the iterations that are left."""
        self.begin()
        self.runner.call_hook('before_train_epoch')
        self.dataloader.skip(self._iter)
        batches = self.dataloader.endless()
        self.validate_if_due(self._iter, self._max_iters)
        while self._iter < self._max_iters and not self.stop_training:
            self.runner.model.train()
            self.run_iter(next(batches))
            self.validate_if_due(self._iter, self._max_iters)
        self.runner.call_hook('after_train_epoch')
        self.runner.call_hook('after_train')
        return self.runner.model


@LOOPS.register_module()
class EpochBasedTrainLoop(ResumableLoop, stock.EpochBasedTrainLoop):
    """Trains for a number of epochs; see the stock loop for its arguments.

    It resumes inside an epoch, if the checkpoint hook saves by iterations. If the batch
    size or the number of processes has changed since, such an epoch begins anew.
    """

    def run(self) -> nn.Module:
        """Run the epochs that are left."""
        self.begin()
        self.dataloader.check_length()
        done = self.batches_done()
        if not done:
            self.validate_if_due(self._epoch, self._max_epochs)
        while self._epoch < self._max_epochs and not self.stop_training:
            self.run_epoch(done)
            done = 0
            self.validate_if_due(self._epoch, self._max_epochs)
        self.runner.call_hook('after_train')
        return self.runner.model

    def batches_done(self) -> int:
        """How many batches of the epoch an earlier run has trained on."""
        length = len(self.dataloader)
        epoch, began, before = self.runner.message_hub.runtime_info.get(
            EPOCH_KEY, (self._epoch, self._epoch * length, length))
        done = self._iter - began
        if epoch != self._epoch or done == 0:
            return 0
        if done == before:  # all of them
            return length
        if before == length and 0 < done < length:
            return done
        print_log(f'an epoch has {length} batches now; epoch {self._epoch + 1} begins '
                  'anew', logger='current', level=logging.WARNING)
        return 0

    def run_epoch(self, done: int = 0) -> None:
        """Run the iterations that are left of an epoch."""
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        self.runner.message_hub.update_info(EPOCH_KEY, [
            self._epoch, self._iter - done, len(self.dataloader)])
        self.dataloader.batch_sampler.set_epoch(self._epoch)
        self.dataloader.skip(done)
        for number, batch in enumerate(self.dataloader, done):
            self.run_iter(number, batch)
        self.runner.call_hook('after_train_epoch')
        self._epoch += 1

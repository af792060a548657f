"""Alternating training in four steps, after which both stages share one backbone."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

import torch
from mmengine.dist import barrier, broadcast, get_rank, is_main_process
from mmengine.logging import print_log
from torch import nn

from ..accelerate import AccelerateHook, for_training
from ..errors import CheckpointError, SettingError
from ..io.checkpoints import check_fit, read_checkpoint
from ..io.whole_files import write_whole
from ..registry import LOOPS, MODELS
from .frozen_phase_hook import detector_of, require_unused_parameters
from .resume.checkpoint_hook import accumulative_counts
from .resume.loops import IterBasedTrainLoop
from .resume.seeds import set_random_state
from .whole_files_backend import BACKEND

SHARED = ('backbone', 'neck')
STEPS = (
    'the RPN',
    'Fast R-CNN from a fresh backbone, on the proposals of step 1',
    'the RPN alone, on the fixed backbone of step 2',
    'Fast R-CNN alone, on the same backbone and the proposals of step 3',
)


@LOOPS.register_module()
class AlternatingTrainLoop(IterBasedTrainLoop):
    """Trains the RPN and Fast R-CNN in turn.

    1. The RPN, from the pretrained backbone.
    2. Fast R-CNN on the proposals of step 1, from a fresh pretrained backbone.
    3. A fresh RPN on the backbone of step 2, which is frozen from now on: neither its
       weights nor its statistics change.
    4. Fast R-CNN on the proposals of step 3; the backbone stays frozen.

    Each step begins with a new optimizer and a new learning rate schedule, whose
    iterations count from the beginning of the step (a scheduler without ``end`` ends
    with the step), and ends with a checkpoint, ``step1.pth`` to ``step4.pth`` in the
    work dir. A run can be resumed in the middle of a step. Proposals are made anew for
    every batch, so that images may be flipped and resized; the paper stores them.

    Source: Faster R-CNN (arXiv:1506.01497), section 3.2, "4-Step Alternating Training".

    Args:
        steps: Iterations of each of the four steps.
        val_begin: First iteration to validate after. Default: the first of step 3,
            before which the two stages do not belong together.
        **kwargs: Those of our ``IterBasedTrainLoop``.

    Raises:
        SettingError: If there are not four steps of at least one iteration, if a step
            would end between two updates, or if a distributed job would wait for the
            gradients of frozen parts.
    """

    def __init__(self, runner, dataloader, steps: Sequence[int],
                 val_begin: int | None = None, **kwargs) -> None:
        if len(steps) != 4 or min(steps) < 1:
            raise SettingError(
                f'AlternatingTrainLoop: train_cfg.steps is {list(steps)}; it takes the '
                'iterations of four steps')
        self.steps, self.ends = list(steps), list(accumulate(steps))
        self.files = [Path(runner.work_dir) / f'step{i}.pth' for i in (1, 2, 3, 4)]
        super().__init__(runner, dataloader, max_iters=self.ends[-1],
                         val_begin=val_begin or self.ends[1] + 1, **kwargs)
        self.step: int | None = None  # 0 to 3; None before the first iteration

    def run(self) -> nn.Module:
        """Run what is left of the four steps."""
        require_unused_parameters(self.runner, 'AlternatingTrainLoop')
        counts = accumulative_counts(self.runner)
        if any(step % counts for step in self.steps):
            raise SettingError(
                f'AlternatingTrainLoop: train_cfg.steps is {self.steps}; gradients are '
                f'accumulated over optim_wrapper.accumulative_counts={counts} '
                'iterations, which must divide each step')
        return super().run()

    def run_iter(self, data_batch: dict | tuple | list) -> None:
        """Run one iteration, in the step that it belongs to."""
        step = bisect_right(self.ends, self._iter)
        if step != self.step:
            self._enter(step)
        super().run_iter(data_batch)
        if self._iter == self.ends[step]:
            self._save(step)

    def _enter(self, step: int) -> None:
        """Begin a step, or resume in the middle of it."""
        self.step = step
        print_log(f'step {step + 1} of 4: {STEPS[step]}', logger='current')
        if self._iter == self.ends[step] - self.steps[step]:
            if step == 1:
                self._reinitialise(*SHARED)
            elif step == 2:
                self._reinitialise('rpn_head')
            self._restart_optimizer(self.steps[step])
        detector = detector_of(self.runner)
        for buffer in detector.buffers():
            broadcast(buffer)  # what is frozen now must be the same in all processes
        detector.unfreeze_parts()
        idle = 'roi_head' if step in (0, 2) else 'rpn_head'
        detector.freeze_parts(idle, *(SHARED if step >= 2 else ()))
        propose = self._proposals_of_step_1(detector) if step == 1 else None
        detector.train_stage('rpn' if step in (0, 2) else 'roi', propose)

    def _reinitialise(self, *names: str) -> None:
        """Give parts the weights of a new detector: pretrained or random."""
        detector = detector_of(self.runner)
        set_random_state(self.runner.seed, get_rank(), self._iter)
        fresh = MODELS.build(self.runner.cfg.model)
        fresh.init_weights()
        for name in names:
            part = getattr(detector, name)
            if part is not None:
                part.load_state_dict(getattr(fresh, name).state_dict())
                for tensor in part.state_dict().values():
                    broadcast(tensor)  # random weights are those of the first process

    def _restart_optimizer(self, iters: int) -> None:
        """Build a new optimizer, and schedulers that by default end with the step."""
        runner = self.runner
        runner.optim_wrapper = runner.build_optim_wrapper(runner.cfg.optim_wrapper)
        runner.scale_lr(runner.optim_wrapper, runner.auto_scale_lr)
        schedulers = runner.cfg.get('param_scheduler')
        if schedulers:
            schedulers = schedulers if isinstance(schedulers, list) else [schedulers]
            runner.param_schedulers = runner.build_param_scheduler([
                {'end': max(iters, scheduler.get('begin', 0) + 1), **scheduler}
                for scheduler in schedulers])
        runner.optim_wrapper.initialize_count_status(
            runner.model, self._iter, self._max_iters)

    def _proposals_of_step_1(self, detector: nn.Module):
        """A function of images and samples to the proposals of step 1's checkpoint."""
        path = self.files[0]
        if not path.is_file():
            raise CheckpointError(f'{path}: no such file; step 2 trains on the '
                                  'proposals of step 1, which is stored there')
        first = MODELS.build({**self.runner.cfg.model, 'roi_head': None})
        state = read_checkpoint(str(path))['state_dict']
        check_fit(first, state, str(path), ignore=('roi_head.',))
        first.load_state_dict(state, strict=False)
        first.to(next(detector.parameters()).device).eval()
        if any(isinstance(hook, AccelerateHook) for hook in self.runner.hooks):
            for_training(first)
        return lambda images, samples: first.propose_for(images, samples, training=True)

    def _save(self, step: int) -> None:
        """Store the end of a step, from where a run would be resumed."""
        path = self.files[step]
        self.runner.save_checkpoint(
            str(path.parent), path.name, meta=dict(epoch=self._epoch, iter=self._iter),
            backend_args=dict(backend=BACKEND))
        if is_main_process():
            write_whole(path.parent / 'last_checkpoint', str(path).encode())
        barrier()
        print_log(f'step {step + 1} of 4 is done: {path}', logger='current')
        torch.cuda.empty_cache()

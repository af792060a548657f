"""mmengine's checkpoint hook, whose files are whole and whose last good one stays.

Comes in: a run. Goes out: checkpoints in its work dir.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmengine import hooks as stock
from mmengine.dist import is_main_process
from mmengine.runner import Runner

from ...errors import UserError
from ...io.whole_files import BACKEND, remove_parts, write_whole
from ...registry import HOOKS


@HOOKS.register_module()
class CheckpointHook(stock.CheckpointHook):
    """Saves checkpoints; see the stock hook for its arguments.

    Each file is written aside, flushed and renamed. An older checkpoint, the best one
    included, is removed when the one that takes its place is on the disk. Where the
    gradients of several iterations are added up, those that are due in between are
    written behind the last of them: no gradient is in a checkpoint.

    Raises:
        UserError: In training, if a checkpoint can not be written.
    """

    def __init__(self, *args, **kwargs) -> None:
        if not kwargs.get('file_client_args'):
            kwargs.setdefault('backend_args', dict(backend=BACKEND))
        super().__init__(*args, **kwargs)

    def before_train(self, runner: Runner) -> None:
        """Clean up behind a process that was killed."""
        forget_other_files(runner)
        super().before_train(runner)
        self.file_backend = RemovingLater(self.file_backend)
        if is_main_process() and Path(self.out_dir).is_dir():
            remove_parts(self.out_dir)

    def after_train(self, runner: Runner) -> None:
        """Save the end of a run that another hook stopped, too."""
        step = runner.epoch if self.by_epoch else runner.iter
        if runner.train_loop.stop_training and self.save_last and (
                self.last_ckpt != self.file_backend.join_path(
                    self.out_dir, self.filename_tmpl.format(step))):
            self._save_checkpoint_with_step(
                runner, step, meta=dict(epoch=runner.epoch, iter=runner.iter))
        super().after_train(runner)

    def every_n_train_iters(self, runner: Runner, n: int, start: int = 0) -> bool:
        """Whether a checkpoint is due behind this iteration."""
        window = window_of(runner)
        done = runner.iter + 1 - start
        return n > 0 and done > 0 and (runner.iter + 1) % window == 0 and (
            done // n > (done - window) // n)

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        with self._replacing(runner):
            super()._save_checkpoint_with_step(runner, step, meta)
            if is_main_process():
                write_whole(Path(runner.work_dir) / 'last_checkpoint',
                            str(self.last_ckpt).encode())

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        last = self.last_ckpt
        if not self.by_epoch and runner.iter % window_of(runner):
            self.last_ckpt = None  # is not written again between two updates
        with self._replacing(runner, but=last):
            super()._save_best_checkpoint(runner, metrics)
        self.last_ckpt = last

    @contextmanager
    def _replacing(self, runner: Runner, but: str | None = None) -> Iterator[None]:
        """Remove the old ones once the new one is there."""
        try:
            yield
        except OSError as error:
            raise UserError(
                f'{self.out_dir}: no checkpoint can be written at iteration '
                f'{runner.iter + 1} ({error.strerror or error}); make room, then go on '
                'from the last one with --resume') from error
        bests = getattr(self, 'best_ckpt_path_dict', {}).values()
        self.file_backend.remove_all(
            but=[but, self.last_ckpt, getattr(self, 'best_ckpt_path', None), *bests])


def window_of(runner: Runner) -> int:
    """How many iterations add their gradients up for one update."""
    return getattr(runner.optim_wrapper, '_accumulative_counts', 1)


def forget_other_files(runner: Runner) -> None:
    """Of the files that a checkpoint names, know only checkpoints of this work dir.

    Better ones take their place, and what a stranger's checkpoint names, or one that
    was copied from another run, must not be removed.
    """
    hub, folder = runner.message_hub, Path(runner.work_dir).resolve()
    for name, value in list(hub.runtime_info.items()):
        if name.startswith('best_ckpt') and value is not None:
            path = Path(str(value))
            if path.parent.resolve() != folder or path.suffix != '.pth':
                hub.update_info(name, None)
        elif name == 'keep_ckpt_ids' and not (
                isinstance(value, list) and all(type(step) is int for step in value)):
            hub.update_info(name, [])


class RemovingLater:
    """A file backend that only notes what is to be removed."""

    def __init__(self, backend) -> None:
        self.backend, self.doomed = backend, []

    def __getattr__(self, name: str):
        return getattr(self.backend, name)

    def remove(self, path: str) -> None:
        """Remove it when there is another."""
        self.doomed.append(path)

    def remove_all(self, but: list[str | None]) -> None:
        """Remove what was noted, except files that have been written anew."""
        for path in self.doomed:
            if path not in but and self.backend.isfile(path):
                self.backend.remove(path)
        self.doomed.clear()

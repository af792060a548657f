"""mmengine's checkpoint hook, with whole files, the last good one never removed."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from numbers import Real
from pathlib import Path

from mmengine import hooks as stock
from mmengine.dist import is_main_process
from mmengine.runner import Runner

from ...errors import CannotWriteError
from ...evaluation.operating_points import KEY
from ...io.whole_files import remove_parts, write_whole
from ...registry import HOOKS
from ..whole_files_backend import BACKEND

METRICS_KEY = 'last_metrics'  # in the message hub: {iteration: {metric: value}}


@HOOKS.register_module()
class CheckpointHook(stock.CheckpointHook):
    """Saves checkpoints; see the stock hook for its arguments.

    A file has its name only when it is complete and on the disk, and an older
    checkpoint, the best one included, is removed only after that. No gradient is in a
    checkpoint: where gradients are accumulated over several iterations, a checkpoint
    that is due before the update is written after it.

    Raises:
        CannotWriteError: In training, if a checkpoint cannot be written.
    """

    def __init__(self, *args, **kwargs) -> None:
        if not kwargs.get('file_client_args'):
            kwargs.setdefault('backend_args', dict(backend=BACKEND))
        super().__init__(*args, **kwargs)

    def before_train(self, runner: Runner) -> None:
        """Forget checkpoints from elsewhere; remove what a killed process left."""
        forget_foreign_checkpoints(runner)
        super().before_train(runner)
        if is_main_process() and Path(self.out_dir).is_dir():
            remove_parts(self.out_dir)

    def after_train(self, runner: Runner) -> None:
        """Save the last state, also of a run that another hook stopped early.

        It is saved again if a validation has found its operating points since.
        """
        step = runner.epoch if self.by_epoch else runner.iter
        path = self.file_backend.join_path(
            self.out_dir, self.filename_tmpl.format(step))
        if path == self.last_ckpt:
            due = KEY in runner.message_hub.runtime_info and not self.told
        else:
            due = runner.train_loop.stop_training and self.save_last
        if due:
            self._save_checkpoint_with_step(
                runner, step, meta=dict(epoch=runner.epoch, iter=runner.iter))
        super().after_train(runner)

    def after_val_epoch(self, runner: Runner,
                        metrics: Mapping[str, float] | None = None) -> None:
        """Save the best state, and what was measured of it."""
        runner.message_hub.update_info(METRICS_KEY, {runner.iter: {
            name: float(value) for name, value in (metrics or {}).items()
            if isinstance(value, Real)}})
        super().after_val_epoch(runner, metrics)

    def every_n_train_iters(self, runner: Runner, n: int, start: int = 0) -> bool:
        """Whether a checkpoint is due after this iteration."""
        counts = accumulative_counts(runner)
        done = runner.iter + 1 - start
        return n > 0 and done > 0 and (runner.iter + 1) % counts == 0 and (
            done // n > (done - counts) // n)

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        with self._replacing(runner):
            super()._save_checkpoint_with_step(runner, step, meta)
            self.told = KEY in runner.message_hub.runtime_info
            if is_main_process():
                write_whole(Path(runner.work_dir) / 'last_checkpoint',
                            str(self.last_ckpt).encode())

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        last = self.last_ckpt
        if self.save_best:  # without objects there is no AP: None is passed over
            metrics = {**dict.fromkeys({*self.key_indicators} - {'auto'}), **metrics}
        if not self.by_epoch and runner.iter % accumulative_counts(runner):
            self.last_ckpt = None  # the stock hook would write it again, with gradients
        with self._replacing(runner, keep=last):
            super()._save_best_checkpoint(runner, metrics)
        self.last_ckpt = last

    @contextmanager
    def _replacing(self, runner: Runner, keep: str | None = None) -> Iterator[None]:
        """Remove old checkpoints after the block, in which a new one is written."""
        backend, old = self.file_backend, []
        before, backend.remove = backend.remove, old.append
        try:
            yield
        except OSError as error:
            raise CannotWriteError(
                f'{self.out_dir}: no checkpoint can be written at iteration '
                f'{runner.iter + 1} ({error.strerror or error})') from error
        finally:
            backend.remove = before
        kept = [keep, self.last_ckpt, getattr(self, 'best_ckpt_path', None),
                *getattr(self, 'best_ckpt_path_dict', {}).values()]
        for path in old:
            if path not in kept and backend.isfile(path):
                type(backend).remove(backend, path)  # at once also inside another block


def accumulative_counts(runner: Runner) -> int:
    """Over how many iterations gradients are accumulated for one update."""
    return getattr(runner.optim_wrapper, '_accumulative_counts', 1)


def forget_foreign_checkpoints(runner: Runner) -> None:
    """Forget all files named in the resumed checkpoint but those of this work dir.

    mmengine removes the best checkpoint when there is a better one. What a checkpoint
    from elsewhere names must not be removed.
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

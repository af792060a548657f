"""Keeps what a training took: its command, machine, time and memory."""

import os
import platform
import resource
import sys
from datetime import date
from pathlib import Path
from time import monotonic

import mmdet
import torch
from mmengine.dist import get_world_size
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ..accelerate.precision import has_bfloat16
from ..registry import HOOKS
from ..version import __version__

KEY = 'run'  # in a checkpoint's meta
KNOWN = 'run_record'  # what is known so far, in mmengine's message hub


@HOOKS.register_module()
class RunRecordHook(Hook):
    """Puts the record of a run into checkpoints, as ``meta['run']``.

    A resumed run continues the counts of its checkpoint and appends its own command to
    the first one; work lost after the last checkpoint is not counted.
    """

    priority = 'VERY_HIGH'  # before anything is saved, or mmengine's peak is reset
    known: dict | None = None

    def before_train(self, runner: Runner) -> None:
        """Count from zero, or on."""
        command = runner.cfg.get('command', '')
        self.known = dict(command=command, seconds=0.0, images=0, memory=0
                          ) | runner.message_hub.runtime_info.get(KNOWN, {})
        if command != self.known['command']:
            self.known['command'] += f' && {command}'
        self.start = monotonic() - self.known['seconds']

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch=None,
                         outputs=None) -> None:
        """Count the images, and read the clock."""
        self.known['images'] += len((data_batch or {}).get('inputs', ())
                                    ) * get_world_size()
        self.look(runner)

    def after_val_iter(self, runner: Runner, batch_idx: int, data_batch=None,
                       outputs=None) -> None:
        """Read the clock: validations count too."""
        if self.known:  # it is part of a training
            self.look(runner)

    def look(self, runner: Runner) -> None:
        """Note the time and the memory, where checkpoints keep them."""
        self.known['seconds'] = monotonic() - self.start
        self.known['memory'] = max(self.known['memory'], peak_memory())
        runner.message_hub.update_info(KNOWN, dict(self.known))

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Store the record up to here."""
        checkpoint['meta'][KEY] = record_of(runner, checkpoint['meta']['iter'])


def record_of(runner: Runner, steps: int) -> dict[str, object]:
    """The record of a run that has done so many steps.

    Returns:
        dict: ``command`` as typed and the ``config``'s name, ``date`` (ISO), ``seed``,
        ``steps``, ``images`` in all of them, ``seconds`` with validations,
        ``memory_mib`` (the most that the first process had, on its GPU if there is
        one), ``precision``, ``hardware`` and ``versions``.
    """
    cfg, known = runner.cfg, runner.message_hub.runtime_info.get(KNOWN, {})
    return dict(
        command=known.get('command', ''), config=Path(cfg.filename or '').name,
        date=date.today().isoformat(), seed=runner.seed, steps=steps,
        images=known.get('images', 0), seconds=round(known.get('seconds', 0.0), 1),
        memory_mib=round(known.get('memory', 0) / 2**20),
        precision=precision_of(cfg.optim_wrapper), hardware=hardware(), versions=dict(
            frcnn_plugin=__version__, torch=str(torch.__version__),
            mmdet=mmdet.__version__))


def peak_memory() -> int:
    """The most bytes that this process had, on its GPU if there is one."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
        1 if sys.platform == 'darwin' else 1024)


def precision_of(optim_wrapper: dict) -> str:
    """The name of the data type that most of the network computes in."""
    kind = str(optim_wrapper.get('type'))
    if 'BF16' in kind:
        return 'bfloat16'
    return optim_wrapper.get('dtype') or 'float16' if 'Amp' in kind else 'float32'


def hardware() -> str:
    """The processors of this machine, with what decides their speed."""
    if torch.cuda.is_available():
        return f'{get_world_size()} x {torch.cuda.get_device_name()}'
    kind = torch.backends.cpu.get_cpu_capability()
    extra = ', bfloat16' if has_bfloat16() else ''
    return (f'{torch.get_num_threads()} threads on {os.cpu_count()} x '
            f'{processor_name()}, {kind}{extra}')


def processor_name() -> str:
    """The name of the processor, or of its architecture."""
    file = Path('/proc/cpuinfo')
    lines = file.read_text().splitlines() if file.is_file() else []
    return next((line.partition(':')[2].strip() for line in lines
                 if line.startswith('model name')), platform.machine())

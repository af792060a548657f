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
SECONDS_KEY = 'seconds_trained'  # in mmengine's message hub, and so in checkpoints
IMAGES_KEY = 'images_trained'


@HOOKS.register_module()
class RunRecordHook(Hook):
    """Puts the record of a run into checkpoints, as ``meta['run']``.

    A resumed run counts on from its checkpoint; what a killed run did after its last
    checkpoint is not counted.
    """

    priority = 'VERY_HIGH'  # before anything is saved

    def before_train(self, runner: Runner) -> None:
        """Count from zero, or on."""
        known = runner.message_hub.runtime_info
        self.start = monotonic() - known.get(SECONDS_KEY, 0.0)
        self.images = known.get(IMAGES_KEY, 0)

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch=None,
                         outputs=None) -> None:
        """Count the images, and read the clock."""
        self.images += len((data_batch or {}).get('inputs', ())) * get_world_size()
        runner.message_hub.update_info(IMAGES_KEY, self.images)
        runner.message_hub.update_info(SECONDS_KEY, monotonic() - self.start)

    def after_val_epoch(self, runner: Runner, metrics=None) -> None:
        """Read the clock: validations count too."""
        runner.message_hub.update_info(SECONDS_KEY, monotonic() - self.start)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Store the record up to here."""
        checkpoint['meta'][KEY] = record_of(runner)


def record_of(runner: Runner) -> dict[str, object]:
    """The record of a run.

    Returns:
        dict: ``command`` as typed and the ``config``'s name, ``date`` (ISO), ``seed``,
        ``steps`` done, ``images`` in all of them, ``seconds`` with validations,
        ``memory_mib`` (the most that the first process had, on its GPU if there is
        one), ``precision``, ``hardware`` and ``versions``.
    """
    cfg, known = runner.cfg, runner.message_hub.runtime_info
    gpu = torch.cuda.is_available()
    memory = (torch.cuda.max_memory_allocated() if gpu else
              resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
              * (1 if sys.platform == 'darwin' else 1024))
    kind = str(cfg.optim_wrapper.get('type'))
    return dict(
        command=cfg.get('command', ''), config=Path(cfg.filename or '').name,
        date=date.today().isoformat(), seed=runner.seed, steps=runner.iter,
        images=known.get(IMAGES_KEY, 0), seconds=round(known.get(SECONDS_KEY, 0.0), 1),
        memory_mib=round(memory / 2**20),
        precision=('bfloat16' if 'BF16' in kind else
                   'float16' if 'Amp' in kind else 'float32'),
        hardware=hardware(), versions=dict(
            frcnn_plugin=__version__, torch=str(torch.__version__),
            mmdet=mmdet.__version__))


def hardware() -> str:
    """The processors of this machine, with what decides their speed."""
    if torch.cuda.is_available():
        return f'{torch.cuda.device_count()} x {torch.cuda.get_device_name()}'
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

"""Writes ``detector.pth``, the one file to keep, into the work dir."""

import logging
from pathlib import Path

import torch
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner

from ..evaluation.operating_points import KEY as POINTS
from ..io.checkpoints import read_checkpoint
from ..io.whole_files import whole_or_absent
from ..registry import HOOKS
from .resume.checkpoint_hook import METRICS_KEY
from .run_record_hook import KEY as RUN
from .run_record_hook import record_of

DETECTOR_FILE = 'detector.pth'
KEPT = ('cfg', 'dataset_meta', 'seed', 'iter', 'epoch', 'mmengine_version', POINTS)


@HOOKS.register_module()
class DetectorFileHook(Hook):
    """At the end of training, writes the weights of the best validation as a detector.

    The file has the weights, or their average if one is kept, and in its ``meta`` the
    config, the classes, the seed, the metrics of that validation, the operating points
    and the record of the run, but nothing that only training needs. Without a
    validation the last weights are taken.
    """

    priority = 'LOWEST'  # after the checkpoints are written

    def after_train(self, runner: Runner) -> None:
        """Write the file, in the first process."""
        if not is_main_process():
            return
        work_dir = Path(runner.work_dir)
        best = best_checkpoint(runner.message_hub.runtime_info)
        last = work_dir / 'last_checkpoint'
        source = best if best and Path(best).is_file() else (
            last.read_text().strip() if last.is_file() else '')
        if not Path(source).is_file():
            print_log(f'{work_dir}: no checkpoint, so no {DETECTOR_FILE}',
                      logger='current', level=logging.WARNING)
            return
        content = read_checkpoint(source)
        meta = {name: value for name, value in content['meta'].items() if name in KEPT}
        meta[RUN] = record_of(runner, runner.iter)  # of all of it, not up to these
        measured = content['message_hub']['runtime_info'].get(METRICS_KEY, {})
        meta['metrics'] = measured.get(meta['iter'], {})
        with whole_or_absent(work_dir / DETECTOR_FILE) as file:
            torch.save(dict(state_dict=content['state_dict'], meta=meta), file)
        runner.logger.info(f'detector: {work_dir / DETECTOR_FILE}')


def best_checkpoint(info: dict) -> str | None:
    """The best checkpoint by mmengine's hook; of several metrics, by the first."""
    return info.get('best_ckpt') or next((
        path for name, path in info.items()
        if name.startswith('best_ckpt_') and path), None)

"""Does the memory of training stay constant over many hours?

    python tools/soak.py [--steps 20000] [--write docs/reliability.md]

Trains a small detector on generated pictures for about two hours, with two loader
workers, checkpoints and validations, and reads the memory of the training process all
along: what it holds now, as the median of each tenth of the run, and the most that it
has held so far, which includes what happened between two readings. Ends with status 1
if one of the two grows by more than 2 % after the first tenth.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

from markdown_table import write_table
from rich.console import Console
from rich.table import Table

from frcnn_plugin.prepare.make_shapes import make_shapes

ROOT = Path(__file__).resolve().parent.parent
CONFIG = ROOT / 'configs/frcnn_r18_c4_shapes.py'
ALLOWED = 0.02
WARM_UP = 50  # steps, in the config
OPTIONS = [  # two pictures a step, the smallest detector that has every part
    'train_dataloader.batch_size=2', 'val_dataloader.batch_size=2',
    'model.rpn_head.feat_channels=32', 'model.roi_head.bbox_head.fc_channels=[32,32]',
    'model.rpn_head.proposal_creator.train.nms_pre=100',
    'model.rpn_head.proposal_creator.train.max_per_img=30']


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--steps', type=int, default=20000, metavar='N',
                        help='steps of training (default: %(default)s)')
    parser.add_argument('--write', type=Path, metavar='FILE',
                        help='replace the table in this document')
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        readings = run(args.steps, Path(folder))
    tenths = [[reading for reading in readings
               if args.steps * i < 10 * reading.step <= args.steps * (i + 1)]
              for i in range(10)]
    held = [median(reading.now for reading in part) for part in tenths]
    most = [max(reading.most for reading in part) for part in tenths]
    rows = [[f'{10 * i} to {10 * i + 10} %', f'{part[-1].step}', f'{held[i]:.1f}',
             f'{most[i]:.1f}'] for i, part in enumerate(tenths)]
    head = ['of the run', 'up to step', 'median, MiB', 'most so far, MiB']
    table = Table(*head)
    for row in rows:
        table.add_row(*row)
    Console().print(table)
    growth = [max(values) / values[0] - 1 for values in (held, most)]
    print(f'growth after the first tenth: median {growth[0]:.1%}, most {growth[1]:.1%} '
          f'(allowed: {ALLOWED:.0%})')
    if args.write:
        write_table(args.write, 'soak', head, rows)
    return int(max(growth) > ALLOWED)


class Reading(NamedTuple):
    """The memory of a process at a step, in MiB."""

    step: int
    now: float
    most: float


def run(steps: int, folder: Path) -> list[Reading]:
    """Train, and read the memory all along."""
    data, work = folder / 'shapes', folder / 'run'
    make_shapes(data, dict(train=64, val=8, test=2))
    warm_up = min(WARM_UP, steps // 2)
    schedule = [f'default_hooks.logger.interval={max(1, steps // 200)}',
                f'train_cfg.max_iters={steps}', f'param_scheduler.1.end={steps}',
                f'param_scheduler.0.end={warm_up}',
                f'param_scheduler.1.begin={warm_up}',
                f'train_cfg.val_interval={max(10, steps // 40)}',
                f'default_hooks.checkpoint.interval={max(10, steps // 40)}']
    command = [sys.executable, ROOT / 'tools/train.py', CONFIG, '--data-root', data,
               '--work-dir', work, '--seed', '0', '--cfg-options', *OPTIONS, *schedule]
    readings: list[Reading] = []
    shown = 0.0
    with (folder / 'log').open('w') as log:
        process = subprocess.Popen(list(map(str, command)), stdout=log, stderr=log,
                                   env=dict(os.environ, OMP_NUM_THREADS='1'))
        while process.poll() is None:
            time.sleep(min(1.0, steps / 1000))
            step = last_step(work)
            memory = memory_of(process.pid)
            if step and memory:
                readings.append(Reading(step, *memory))
            if readings and time.monotonic() - shown > 30:
                shown = time.monotonic()
                print(f'step {step} of {steps}: {readings[-1].now:.1f} MiB, at most '
                      f'{readings[-1].most:.1f}', flush=True)
    if process.returncode or len({10 * reading.step // (steps + 1)
                                  for reading in readings}) < 10:
        raise SystemExit('error: the run ended too early:\n'
                         + (folder / 'log').read_text()[-2000:])
    return readings


def last_step(work: Path) -> int:
    """The last step in the log, or 0."""
    for file in work.glob('*/vis_data/scalars.json'):
        steps = [json.loads(line)['step'] for line in file.read_text().splitlines()
                 if line.endswith('}') and '"loss"' in line]
        return steps[-1] if steps else 0
    return 0


def memory_of(pid: int) -> tuple[float, float] | None:
    """What a process holds, and the most that it held; None once it has ended."""
    try:
        status = Path(f'/proc/{pid}/status').read_text()
    except OSError:
        return None
    found = [re.search(rf'{name}:\s*(\d+)', status) for name in ('VmRSS', 'VmHWM')]
    return (int(found[0][1]) / 1024, int(found[1][1]) / 1024) if all(found) else None


if __name__ == '__main__':
    sys.exit(main())

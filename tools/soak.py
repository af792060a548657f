"""Does training keep its memory over many hours? Two hours' worth at a small size.

    python tools/soak.py [--steps 20000] [--write docs/reliability.md]

Trains a small detector on generated pictures, with two loader workers, checkpoints and
validations, and reads the memory of the training process from time to time. Ends with
status 1 if it grows by more than 2 % after the first tenth.
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

from markdown_table import write_table
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
CONFIG = ROOT / 'configs/frcnn_r18_c4_shapes.py'
ALLOWED = 0.02
OPTIONS = [  # two pictures a step, the smallest detector that has every part
    'train_dataloader.batch_size=2', 'val_dataloader.batch_size=2',
    'model.rpn_head.feat_channels=32', 'model.roi_head.bbox_head.fc_channels=[32,32]',
    'model.rpn_head.proposal_creator.train.nms_pre=100',
    'model.rpn_head.proposal_creator.train.max_per_img=30',
    'default_hooks.logger.interval=100']


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--steps', type=int, default=20000, metavar='N',
                        help='of training (default: %(default)s)')
    parser.add_argument('--write', type=Path, metavar='FILE',
                        help='put the table into this file, between its marks')
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        readings = run(args.steps, Path(folder))
    tenths = [readings[len(readings) * i // 10:len(readings) * (i + 1) // 10]
              for i in range(10)]
    rows = [[f'{10 * i} to {10 * i + 10} %', f'{max(step for step, _ in part)}',
             f'{max(memory for _, memory in part):.1f}']
            for i, part in enumerate(tenths)]
    head = ['of the run', 'up to step', 'memory, MiB']
    table = Table(*head)
    for row in rows:
        table.add_row(*row)
    Console().print(table)
    peaks = [max(memory for _, memory in part) for part in tenths[1:]]
    growth = max(peaks) / peaks[0] - 1
    print(f'growth after the first tenth: {growth:.1%} (allowed: {ALLOWED:.0%})')
    if args.write:
        write_table(args.write, 'soak', head, rows)
    return int(growth > ALLOWED)


def run(steps: int, folder: Path) -> list[tuple[int, float]]:
    """Train; the step and the memory in MiB, read all along."""
    data, work = folder / 'shapes', folder / 'run'
    subprocess.run([sys.executable, ROOT / 'tools/make_shapes.py', '--out', data,
                    '--train', '64', '--val', '8', '--test', '2'], check=True,
                   stdout=subprocess.DEVNULL)
    schedule = [f'train_cfg.max_iters={steps}', f'param_scheduler.1.end={steps}',
                f'train_cfg.val_interval={max(1, steps // 40)}',
                f'default_hooks.checkpoint.interval={max(1, steps // 40)}']
    command = [sys.executable, ROOT / 'tools/train.py', CONFIG, '--data-root', data,
               '--work-dir', work, '--seed', '0', '--cfg-options', *OPTIONS, *schedule]
    readings, shown = [], 0.0
    with (folder / 'log').open('w') as log:
        process = subprocess.Popen(list(map(str, command)), stdout=log, stderr=log,
                                   env=dict(os.environ, OMP_NUM_THREADS='1'))
        while process.poll() is None:
            time.sleep(1)
            step = last_step(work)
            if step:
                readings.append((step, memory_of(process.pid)))
            if step and time.monotonic() - shown > 30:
                shown = time.monotonic()
                print(f'step {step} of {steps}: {readings[-1][1]:.1f} MiB', flush=True)
    if process.returncode or len(readings) < 20:
        raise SystemExit('error: the run ended too early:\n'
                         + (folder / 'log').read_text()[-2000:])
    return [reading for reading in readings if reading[1]]


def last_step(work: Path) -> int:
    """The last step in the log, or 0."""
    for file in work.glob('*/vis_data/scalars.json'):
        steps = [json.loads(line)['step'] for line in file.read_text().splitlines()
                 if line.endswith('}') and '"loss"' in line]
        return steps[-1] if steps else 0
    return 0


def memory_of(pid: int) -> float:
    """What a process holds of the memory, in MiB; 0 once it has ended."""
    try:
        status = Path(f'/proc/{pid}/status').read_text()
    except OSError:
        return 0.0
    found = re.search(r'VmRSS:\s*(\d+)', status)
    return int(found[1]) / 1024 if found else 0.0


if __name__ == '__main__':
    sys.exit(main())

"""The table of trained models, made from the ``metrics.json`` of their runs.

    python tools/model_table.py [NAME=WORK_DIR ...] [--page docs/models.md]

Each work dir holds a training and its test: what ``frcnn train`` left there, and the
``metrics.json`` of ``frcnn test`` on its weights. From it ``models/NAME/`` beside the
page gets the metrics, the config and the curve; then the table is made anew from all
folders there.
"""

import argparse
import json
import shutil
from pathlib import Path

from markdown_table import write_table

CURVE_POINTS = 100  # of the loss
HEAD = ('model', 'AP', 'AP50', 'trained', 'time', 'memory', 'hardware', 'seed', 'date',
        'files')
CURVE_KEYS = ('loss', 'lr', 'coco/AP', 'coco/AP50', 'pascal_voc/mAP')


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('runs', nargs='*', metavar='NAME=WORK_DIR')
    parser.add_argument('--page', type=Path, default=Path('docs/models.md'))
    args = parser.parse_args()
    for run in args.runs:
        name, _, folder = run.partition('=')
        keep(Path(folder), args.page.parent / 'models' / name)
    write_table(args.page, 'models', HEAD, rows(args.page.parent / 'models'))


def keep(work_dir: Path, folder: Path) -> None:
    """Keep of a run what its row is made from.

    Raises:
        SystemExit: If it lacks something.
    """
    file = work_dir / 'metrics.json'
    metrics = json.loads(file.read_text()) if file.is_file() else {}
    if not metrics.get('training'):
        raise SystemExit(f'error: {file}: no metrics with the record of a training; '
                         f'first run: frcnn test ... --work-dir {work_dir}')
    logs = sorted(work_dir.glob('*/vis_data/scalars.json'))  # one for each (re)start
    config = work_dir / metrics['training']['config']
    if not logs or not config.is_file():
        raise SystemExit(f'error: {work_dir} lacks {config.name} or mmengine\'s log')
    folder.mkdir(parents=True, exist_ok=True)
    metrics.pop('all')
    (folder / 'metrics.json').write_text(json.dumps(metrics, indent=2) + '\n')
    shutil.copy(config, folder / 'config.py')
    (folder / 'curve.jsonl').write_text(''.join(
        json.dumps(line) + '\n' for line in curve_of(logs)))


def curve_of(logs: list[Path]) -> list[dict[str, float]]:
    """The losses of about a hundred steps, and all validations, by step."""
    lines = [json.loads(line) for log in logs for line in log.read_text().splitlines()]
    losses = [line for line in lines if 'loss' in line]
    every = max(1, len(losses) // CURVE_POINTS)
    chosen = losses[every - 1::every] + [line for line in lines if 'loss' not in line]
    return sorted(({'step': line['step']} | {
        key: round(value, 5) for key, value in line.items() if key in CURVE_KEYS}
        for line in chosen), key=lambda line: line['step'])


def rows(folder: Path) -> list[list[str]]:
    """A row for each model in a folder, by name."""
    return [row_of(file) for file in sorted(folder.glob('*/metrics.json'))]


def row_of(file: Path) -> list[str]:
    """The row of one ``metrics.json``."""
    metrics, name = json.loads(file.read_text()), file.parent.name
    run = metrics['training']
    minutes, seconds = divmod(round(run['seconds']), 60)
    links = ', '.join(f'[{title}](models/{name}/{target})' for title, target in (
        ('config', 'config.py'), ('curve', 'curve.jsonl'), ('metrics', 'metrics.json')))
    return [f'**{name}**<br>`{run["command"]}`<br>`{metrics["command"]}`',
            *('-' if metrics[key] is None else f'{metrics[key]:.3f}'
              for key in ('AP', 'AP50')),
            f'{run["steps"]} steps, {run["images"]} images, {run["precision"]}',
            f'{minutes} min {seconds:02d} s', f'{run["memory_mib"]} MiB',
            run['hardware'], str(run['seed']), run['date'], links]


if __name__ == '__main__':
    main()

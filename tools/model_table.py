"""The table of trained models, made from the ``metrics.json`` of their runs.

    python tools/model_table.py [NAME=WORK_DIR ...] [--page docs/models.md]

Each work dir holds a training and its test: what ``frcnn train`` left there, and the
``metrics.json`` of ``frcnn test`` on its weights. From it ``models/NAME/`` beside the
page gets the metrics, the config (paths as they are from here) and the curve; then the
table is made anew from all folders there.
"""

import argparse
import json
import re
from pathlib import Path

from markdown_table import write_table

from frcnn_plugin.report.training_log import TrainingLog, read_log

CURVE_POINTS = 100  # of the loss
HEAD = ('model', 'AP', 'AP50', 'trained', 'time', 'memory', 'hardware', 'seed', 'date',
        'files')
VALIDATED = ('coco/AP', 'coco/AP50', 'pascal_voc/AP50')


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('runs', nargs='*', metavar='NAME=WORK_DIR')
    parser.add_argument('--page', type=Path, default=Path('docs/models.md'))
    args = parser.parse_args()
    for run in args.runs:
        name, _, folder = run.partition('=')
        keep(Path(folder), args.page.parent / 'models' / name)
    files = sorted((args.page.parent / 'models').glob('*/metrics.json'))
    write_table(args.page, 'models', HEAD, map(row_of, files))
    write_table(args.page, 'commands', ('model', 'commands'), map(commands_of, files))


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
    # what a test had, and a run that goes on, is not what the training began with
    configs = [path.parent / 'config.py' for path in sorted(
        work_dir.glob('*/vis_data/scalars.json')) if '"loss"' in path.read_text()]
    config = next((file for file in reversed(configs)
                   if 'resume = True' not in file.read_text()), None)
    if config is None:
        raise SystemExit(f"error: {work_dir} lacks mmengine's log of the training")
    folder.mkdir(parents=True, exist_ok=True)
    metrics.pop('all')
    (folder / 'metrics.json').write_text(json.dumps(metrics, indent=2) + '\n')
    text = config.read_text().replace(f'{Path.cwd()}/', '')
    text = re.sub(r' spent=[\d.]+,', '', text)  # of a TimedTrainLoop, before it began
    (folder / 'config.py').write_text(text)
    (folder / 'curve.jsonl').write_text(''.join(
        json.dumps(line) + '\n' for line in curve_of(read_log(work_dir))))


def curve_of(log: TrainingLog) -> list[dict[str, float]]:
    """The loss at about a hundred steps, and all validations, by step."""
    losses = log.training.get('loss', [])
    every = max(1, len(losses) // CURVE_POINTS)
    lines: dict[int, dict[str, float]] = {}
    for name, points in dict(loss=losses[every - 1::every], **{
            name: log.validation.get(name, []) for name in VALIDATED}).items():
        for step, value in points:
            lines.setdefault(step, {})[name] = round(value, 5)
    return [dict(step=step, **lines[step]) for step in sorted(lines)]


def row_of(file: Path) -> list[str]:
    """The row of one ``metrics.json``."""
    metrics, name = json.loads(file.read_text()), file.parent.name
    run = metrics['training']
    minutes, seconds = divmod(round(run['seconds']), 60)
    links = ', '.join(f'[{title}](models/{name}/{target})' for title, target in (
        ('config', 'config.py'), ('curve', 'curve.jsonl'), ('metrics', 'metrics.json')))
    return [name, *('-' if metrics[key] is None else f'{metrics[key]:.3f}'
                    for key in ('AP', 'AP50')),
            f'{run["steps"]} steps, {run["images"]} images, {run["precision"]}',
            f'{minutes} min {seconds:02d} s', f'{run["memory_mib"]} MiB',
            run['hardware'], str(run['seed']), run['date'], links]


def commands_of(file: Path) -> list[str]:
    """How that model was trained and tested."""
    metrics = json.loads(file.read_text())
    return [file.parent.name,
            f'`{metrics["training"]["command"]}`<br>`{metrics["command"]}`']


if __name__ == '__main__':
    main()

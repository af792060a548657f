"""The curves of a training run, from the files that mmengine leaves in the work dir.

A run that was stopped and resumed wrote several files, which are joined here.
"""

import json
from pathlib import Path
from typing import NamedTuple

LOSSES = ('loss', 'loss_rpn_cls', 'loss_rpn_bbox', 'loss_cls', 'loss_bbox')

Points = list[tuple[int, float]]  # (iteration, value)


class TrainingLog(NamedTuple):
    """What was logged, by iteration.

    Attributes:
        training: Points of the losses and of ``lr``, by name.
        validation: Points of each metric, by name.
    """

    training: dict[str, Points]
    validation: dict[str, Points]


def read_log(work_dir: str | Path) -> TrainingLog:
    """The last run in a work dir and the runs that it resumed; empty without a log."""
    log = TrainingLog({}, {})
    for file in sorted(Path(work_dir).glob('*/vis_data/scalars.json')):
        lines = read_lines(file)
        begin = min((line['step'] for line in lines if 'loss' in line), default=None)
        if begin is None:
            continue  # a test
        # steps after the checkpoint that this run resumed from are not part of it
        for points in [*log.training.values(), *log.validation.values()]:
            points[:] = [point for point in points if point[0] < begin]
        add_lines(log, lines)
    return TrainingLog(*({name: points for name, points in part.items() if points}
                         for part in log))


def add_lines(log: TrainingLog, lines: list[dict]) -> None:
    """Add the entries of one file, in their order."""
    step = 0
    for line in lines:
        if 'loss' in line:
            step, names, target = line['step'], [*LOSSES, 'lr'], log.training
        else:  # runs by epochs number their validations by epochs
            step = max(step, line['step'])
            names, target = [name for name in line if '/' in name], log.validation
        for name in names:
            if isinstance(line.get(name), int | float):
                target.setdefault(name, []).append((step, float(line[name])))


def read_lines(file: Path) -> list[dict]:
    """The entries of one file, without a line that a killed process left unfinished."""
    lines = []
    for text in file.read_text(errors='replace').splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict) and isinstance(line.get('step'), int):
            lines.append(line)
    return lines

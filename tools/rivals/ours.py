"""``frcnn train FOLDER``: ours."""

import subprocess
import sys
from pathlib import Path

from common import run

from frcnn_plugin import Detector


def train(data: dict, minutes: float, seed: int, folder: Path, model: str = ''):
    """Train as a user would, from random weights; ``model``: options of the command."""
    work_dir = folder / 'run'
    subprocess.run([
        sys.executable, '-m', 'frcnn_plugin', 'train', data['root'], '--minutes',
        str(minutes), '--seed', str(seed), '--work-dir', str(work_dir),
        '--from-scratch', *model.split()], check=True)
    best = Detector(work_dir / 'detector.pth')

    def detect(image: str):
        found = best(image)
        return (found.boxes.tolist(), found.labels.tolist(), found.scores.tolist())

    return detect


if __name__ == '__main__':
    run(train, __doc__.splitlines()[0])

"""What a kind of bad input is, and the place that it is put into."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from helpers import write_xml
from PIL import Image

from frcnn_plugin.commands.check_dataset import check_dataset
from frcnn_plugin.commands.convert import convert
from frcnn_plugin.commands.detect import detect
from frcnn_plugin.commands.export import export
from frcnn_plugin.commands.inspect_stages import inspect_stages
from frcnn_plugin.commands.make_proposals import make_proposals
from frcnn_plugin.commands.prepare import prepare
from frcnn_plugin.commands.test import test as run_test
from frcnn_plugin.commands.train import train

CLASSES = ['dog', 'cat']
NAMES = ('a', 'b', 'c', 'd')
CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
COMMANDS = {
    'train': train, 'test': run_test, 'convert': convert, 'detect': detect,
    'export': export, 'inspect-stages': inspect_stages,
    'check-dataset': check_dataset, 'make-proposals': make_proposals,
    'prepare': prepare}
SMALL = [  # the smallest detector that has every part, and no worker
    'model.rpn_head.feat_channels=32', 'model.roi_head.bbox_head.fc_channels=[32,32]',
    *(f'{part}_dataloader.{option}' for part in ('train', 'val', 'test')
      for option in ('batch_size=1', 'num_workers=0', 'persistent_workers=False')),
    'train_dataloader.sampler.shuffle=False',
    'train_dataloader.dataset.filter_cfg.min_size=1']


@dataclass(frozen=True)
class Kind:
    """One kind of bad input.

    Attributes:
        given: What it is.
        command: Who gets it.
        says: What a line of the output must match.
        status: How the command must end.
        prepare: Makes it; returns the command's arguments.
    """

    given: str
    command: str
    says: str
    status: int
    prepare: Callable[['Site'], list[str]]


KINDS: list[Kind] = []


def kind(given: str, command: str, says: str, status: int = 1):
    """Put a function that makes bad input into the list."""
    def add(prepare):
        KINDS.append(Kind(given, command, says, status, prepare))
        return prepare
    return add


class Site:
    """A folder with a good data set of four pictures, and arguments for commands."""

    def __init__(self, folder: Path, checkpoint: Path | None = None) -> None:
        self.checkpoint = checkpoint
        self.environment: dict[str, str] = {}
        self.configs = CONFIGS
        self.folder, self.root = folder, folder / 'data'
        self.work, self.created = folder / 'work', folder / 'created'
        for part in ('JPEGImages', 'Annotations', 'ImageSets/Main'):
            (self.root / part).mkdir(parents=True)
        rng = np.random.default_rng(0)
        for name in NAMES:
            pixels = rng.integers(0, 256, (80, 100, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(self.image(name))
            self.annotate(name)
        for split in ('train', 'val', 'test'):
            self.split(split, '\n'.join(NAMES))

    def image(self, name: str = 'b') -> Path:
        return self.root / f'JPEGImages/{name}.jpg'

    def xml(self, name: str = 'b') -> Path:
        return self.root / f'Annotations/{name}.xml'

    def annotate(self, name: str, *more, size=(100, 80)) -> None:
        boxes = [('dog', 10, 10, 60, 60), ('cat', 40, 20, 90, 70), *more]
        write_xml(self.root, name, boxes, size)

    def split(self, name: str, content: str | bytes) -> None:
        path = self.root / f'ImageSets/Main/{name}.txt'
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    def train(self, *options: str, before: tuple[str, ...] = (), iters: int = 1,
              config: str = 'frcnn_r18_c4_shapes') -> list[str]:
        return [str(CONFIGS / f'{config}.py'), '--max-iters', str(iters),
                *self.common(*options, before=before)]

    def test(self, checkpoint: Path, *options: str,
             before: tuple[str, ...] = ()) -> list[str]:
        return [str(CONFIGS / 'frcnn_r18_c4_shapes.py'), str(checkpoint),
                *self.common(*options, before=before)]

    def common(self, *options: str, before: tuple[str, ...]) -> list[str]:
        return ['--data-root', str(self.root), '--classes', *CLASSES, '--work-dir',
                str(self.work), *before, '--cfg-options', *SMALL, *options]

    def trained(self) -> Path:
        """A checkpoint of one step."""
        return self.checkpoint

    def creates(self) -> 'Creates':
        return Creates(str(self.created))

    def code(self, name: str, wrap=lambda code: code) -> Path:
        """A pickle that creates a folder when it is loaded carelessly."""
        return self.write(name, wrap(self.creates()))

    def write(self, name: str, content: object) -> Path:
        """A file in torch's format, or of bytes as they are."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            torch.save(content, path)
        return path


@dataclass
class Creates:
    """Makes a folder when it is unpickled."""

    path: str

    def __reduce__(self):
        return os.makedirs, (self.path,)

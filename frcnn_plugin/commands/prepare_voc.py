"""``frcnn prepare-voc``: the name that ``frcnn prepare`` had."""

from pathlib import Path

from .parser import parse
from .prepare import run


def prepare_voc(argv: list[str] | None = None) -> Path:
    """Run ``frcnn prepare-voc``.

    Returns the folder in VOC layout.
    """
    return run(parse('prepare_voc', argv))

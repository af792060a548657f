"""The detector that ``frcnn detect`` was given, and its score thresholds."""

import argparse
from pathlib import Path

import numpy as np

from ..inference import Detector
from ..inference.detector import is_runtime_file
from ..inference.tiled_detector import TiledDetector

DEFAULT = 0.3  # the least score, if validation images tell none
NAMED = 6  # classes whose scores fit into one line


def chosen_detector(args: argparse.Namespace, device: str | None
                    ) -> tuple[Detector, float | np.ndarray]:
    """The detector, and its score threshold, or that of each class, (C,); prints them.

    ``args.tiles`` becomes the size of the tiles in which it detects, if it does.

    Raises:
        UserError: If there can be no such detector.
    """
    detector = Detector(args.checkpoint, args.config, device, args.classes,
                        amp=args.amp)
    if args.tiles is None and detector.tiles:
        args.tiles = detector.tiles
        print(f'in tiles of {args.tiles} pixels, as it was trained on')
    args.tiles = args.tiles or None
    if args.tiles:
        detector = TiledDetector(detector, args.tiles, args.overlap, args.batch_size)
    thresholds, said = scores_to_cut_at(detector, args.score_thr)
    print(said, flush=True)
    return detector, thresholds


def files_of(args: argparse.Namespace) -> list[Path]:
    """The files that the detector is made of."""
    files = [Path(name) for name in (args.config, args.checkpoint) if name]
    if is_runtime_file(args.checkpoint):
        files.append(Path(args.checkpoint).with_suffix('.bin'))  # of an .xml
    return [file for file in files if file.is_file()]


def scores_to_cut_at(detector: Detector, asked: float | None
                     ) -> tuple[float | np.ndarray, str]:
    """The least score, or that of each class, (C,), and a line that says which."""
    if asked is not None or detector.thresholds is None:
        score = DEFAULT if asked is None else asked
        return score, f'detections with a score of at least {score:g}'
    scores = [f'{score:.2f} {name}' for name, score in zip(
        detector.classes, detector.thresholds, strict=True)]
    if len(scores) > NAMED:
        low, high = detector.thresholds.min(), detector.thresholds.max()
        scores = [f'{low:.2f} to {high:.2f}, by class']
    points = detector.operating_points
    return detector.thresholds, (
        f'detections with a score of at least {", ".join(scores)} ({points["rule"]} in '
        f'{points["images"]} validation images)')

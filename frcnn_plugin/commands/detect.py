"""``frcnn detect``: detect in images and videos; draw and list what is found."""

import argparse
import math
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from threading import Thread

import numpy as np
from rich.markup import escape
from rich.progress import Progress, TaskID

from ..errors import CannotWriteError, UserError
from ..inference import Detector
from ..inference.detector import is_runtime_file
from ..io.beside import Clock
from ..io.digest import digest_of_files
from ..io.large_image import allow_large_pictures
from ..io.progress import bars
from ..io.whole_files import FULL, remove_parts
from ..stream import Detection, Results, Share, batches, sources
from ..stream.coco import write_coco
from ..stream.lines import printable
from ..stream.parquet import write_parquet
from ..stream.results import FINISHED, check_settings, read_notes
from ..stream.sources import is_read_once, root_of
from ..stream.summary import summary_of
from ..visualization.boxes import BoxDrawer
from .chosen_detector import chosen_detector, files_of
from .parser import parse

THREADS = min(4, os.cpu_count() or 1)  # that read and draw beside the network


def detect(argv: list[str] | None = None) -> int:
    """Run ``frcnn detect``; 1 if an image was not read, or not written, else 0."""
    args = parse('detect', argv)
    if args.engine != 'ray':
        args.out = Path(args.out)
    try:
        if args.engine == 'ray':
            from .detect_on_cluster import detect_on_cluster
            return detect_on_cluster(args)
        return detect_all(args)
    except OSError as error:
        kind = CannotWriteError if error.errno in FULL else UserError
        raise kind(f'{error.filename or args.out}: {error.strerror}') from error


def detect_all(args: argparse.Namespace) -> int:
    """Detect on this machine, in this process or in its share of several."""
    share = check_arguments(args)
    found = sources(args.input, args.out)
    allow_large_pictures()
    detector, thresholds = chosen_detector(args, device_of(args, share))
    settings = settings_of(args, detector, thresholds)
    drawer = None if args.no_pictures else BoxDrawer(detector.classes)
    with bars() as bar, ThreadPoolExecutor(THREADS) as pool:
        detection = Detection(detector, thresholds, args.batch_size, drawer, args.out,
                              bar, root_to_keep(args))
        first = next(found)
        if drawer:
            detection.target(first)  # said before anything is written
        if not is_merged(args, share, settings):
            part = share.number > 1
            results = Results(share.file(args.out), settings, args.resume, part)
            task = bar.add_task(escape(args.input), total=None)
            Thread(target=count, args=(args, share, bar, task), daemon=True).start()
            mine = share.mine(batches(chain([first], found), args.batch_size))
            for number, lines in detection.lines(results.left(mine), pool):
                results.add(lines)
                bar.advance(task, number)
            results.close()
            if share.rank == 0 and part:
                share.wait(args.out, settings)
                share.merge(args.out, batches(sources(args.input, args.out),
                                              args.batch_size), settings)
    if detection.number:
        print(speed(detection.number, detection.clock))
    for reason in detection.reasons:
        print(printable(f'warning: {reason}'))
    if share.rank:  # the first process tells of what could not be read
        print(f'{args.out}: process {share.rank} has finished its share')
        return 0
    unread = finish(args, detector.classes)
    if share.number > 1:
        share.remove(args.out)
    remove_parts(args.out)
    return int(bool(unread or detection.unwritten))


def is_merged(args: argparse.Namespace, share: Share, settings: dict) -> bool:
    """Whether several processes have finished, and merged their results.

    Raises:
        CannotContinueError: If a run is resumed that was made with other settings.
    """
    whole = Share().file(args.out)
    notes = read_notes(whole)
    if share.number == 1 or not args.resume or notes is None:
        return False
    check_settings(whole, notes, settings)
    return notes[FINISHED]


def check_arguments(args: argparse.Namespace) -> Share:
    """The share of this process.

    Raises:
        UserError: If the arguments make no sense here.
    """
    if args.batch_size < 1:
        raise UserError(f'--batch-size is {args.batch_size}; it must be at least 1')
    if args.format == 'parquet' and find_spec('pyarrow') is None:
        raise UserError('--format parquet: pyarrow is not installed; '
                        'pip install "frcnn-plugin[parquet]"')
    share = Share.of(args.launcher)
    if is_read_once(args.input) and share.number > 1:
        raise UserError(f'{args.input}: is read by one process only; write the list to '
                        'a file, and give its name as @FILE')
    share.check(args.out, args.resume)
    return share


def device_of(args: argparse.Namespace, share: Share) -> str | None:
    """The device that was asked for, or the GPU of this process."""
    if args.device or share.number == 1 or is_runtime_file(args.checkpoint):
        return args.device
    import torch
    number = torch.cuda.device_count()
    return f'cuda:{share.local % number}' if number else None


def settings_of(args: argparse.Namespace, detector: Detector,
                thresholds: float | np.ndarray) -> dict:
    """All that the results depend on."""
    return {'input': args.input, 'config': args.config,
            'detector': digest_of_files(*files_of(args)),
            'list of classes': list(detector.classes),
            'score threshold': np.asarray(thresholds, float).round(6).tolist(),
            'size of tiles': args.tiles, 'overlap': args.tiles and args.overlap,
            'batch size': args.batch_size, 'precision': 'mixed' if args.amp else 'full'}


def root_to_keep(args: argparse.Namespace) -> Path | None:
    """The folder of the pictures, if drawn ones might be written into it."""
    root = root_of(args.input)
    inside = root and root.resolve().is_relative_to(args.out.resolve())
    return root.resolve() if inside else None


def count(args: argparse.Namespace, share: Share, bar: Progress, task: TaskID) -> None:
    """Tell a bar how many there are, which takes a while where there are many."""
    if not is_read_once(args.input):
        with suppress(OSError, UserError):
            number = sum(1 for _ in sources(args.input, args.out))
            bar.update(task, total=math.ceil(number / share.number))


def finish(args: argparse.Namespace, classes: tuple[str, ...]) -> int:
    """Make the files that were asked for, and say what is in them.

    Returns:
        int: How many pictures could not be read.

    Raises:
        UserError: If none could.
    """
    whole = Share().file(args.out)
    summary = summary_of(whole)
    if summary.unread and not (summary.images or summary.videos):
        (name, reason), *others = summary.broken
        raise UserError(printable(
            f'{args.input}: none of its pictures can be read; {name}: {reason}'
            if others else f'{args.input}: {reason}'))
    if args.format == 'json':
        write_coco(whole, args.out / 'detections.json', classes)
    elif args.format == 'parquet':
        write_parquet(whole, args.out / 'detections.parquet')
    for name, reason in summary.broken:
        print(printable(f'warning: {name}: {reason}; skipped'))
    if more := summary.unread - len(summary.broken):
        print(f'warning: {more} more skipped; {whole} says why')
    print(f'{args.out}: {summary}')
    return summary.unread


def speed(number: int, clock: Clock) -> str:
    """A line that says how many images a second, and where the time went."""
    beside = ', '.join(f'{part} {clock.parts[part]:.1f} s'
                       for part in ('reading', 'drawing') if clock.parts[part])
    return (f'{number / clock.whole:.1f} images a second: {clock.whole:.1f} s, '
            f'{clock.parts["network"]:.1f} s of it the network; beside it {beside}')

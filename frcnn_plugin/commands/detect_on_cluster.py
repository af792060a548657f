"""``frcnn detect --engine ray``: detect on a cluster."""

import argparse
from importlib.util import find_spec
from pathlib import Path

from ..errors import UserError
from .chosen_detector import chosen_detector, files_of


def detect_on_cluster(args: argparse.Namespace) -> int:
    """Run it; 1 if an image was not read, else 0."""
    if find_spec('ray') is None:
        raise UserError('--engine ray: pip install "frcnn-plugin[ray]" installs it')
    if args.launcher != 'none' or args.resume:
        raise UserError('--engine ray starts its own processes, and replaces those '
                        'that die: leave out --launcher and --resume')
    from ..stream.on_ray import detect_on_ray

    _, thresholds = chosen_detector(args, args.device)  # mistakes are seen here
    files = {file.name: file.read_bytes() for file in files_of(args)}
    config = args.config and Path(args.config).name
    found = detect_on_ray(
        args.input, args.out, args.address, args.batch_size, files=files,
        checkpoint=Path(args.checkpoint).name,
        config=config if config in files else args.config,
        tiles=(args.tiles, args.overlap) if args.tiles else None,
        thresholds=thresholds, device=args.device, classes=args.classes, amp=args.amp)
    print(f'{args.out}: {found["detections"]} detections in {found["images"]} images')
    if found['unread']:
        print(f'warning: {found["unread"]} could not be read; the column `error` says '
              'why')
    return int(bool(found['unread']))

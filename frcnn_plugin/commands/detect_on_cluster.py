"""``frcnn detect --engine ray``: detect on a cluster."""

import argparse
from importlib.util import find_spec
from pathlib import Path

from ..errors import UserError
from .chosen_detector import chosen_detector, files_of

CONFIG = 'config_of_all.py'


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
    if args.config:  # whole, without the files that it is based on
        from ..config.files import load_config
        files[CONFIG] = load_config(args.config).pretty_text.encode()
    found = detect_on_ray(
        args.input, args.out, args.address, args.batch_size, files=files,
        checkpoint=Path(args.checkpoint).name, config=CONFIG if args.config else None,
        tiles=(args.tiles, args.overlap) if args.tiles else None,
        thresholds=thresholds, device=args.device, classes=args.classes, amp=args.amp)
    print(f'{args.out}: {found["detections"]} detections in {found["images"]} images')
    if found['unread']:
        print(f'warning: {found["unread"]} could not be read; the column `error` says '
              'why')
    return int(bool(found['unread']))

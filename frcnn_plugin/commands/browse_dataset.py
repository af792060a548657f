"""``tools/browse_dataset.py``: draw what the network is fed."""

import argparse
from pathlib import Path

import mmcv
import numpy as np
from mmengine.registry import init_default_scope
from rich.console import Console
from rich.progress import track

from ..engine.resume.seeds import set_random_state
from ..errors import UserError
from ..registry import DATASETS
from ..visualization.draw import Drawer
from . import overrides
from .common import add_common_options, parse
from .explain_config import explain_config


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Draw what the network is fed: pictures behind the pipeline, with '
        'their boxes.')
    parser.add_argument('config', help='a Python config file, see configs/')
    parser.add_argument('-o', '--out', type=Path, default=Path('browse'), metavar='DIR',
                        help='pictures go there (default: %(default)s)')
    parser.add_argument('--loader', choices=['train', 'val', 'test'], default='train',
                        help='whose data (default: %(default)s)')
    parser.add_argument('--number', type=int, default=20, metavar='N',
                        help='of pictures (default: %(default)s)')
    add_common_options(parser)
    args = parse(parser, argv)
    if args.number < 1:
        raise UserError(f'--number is {args.number}; it must be at least 1')
    return args


def browse_dataset(argv: list[str] | None = None) -> None:
    """Run the command.

    Raises:
        UserError: If something is wrong that the user can mend.
    """
    args = parse_args(argv)
    name = f'{args.loader}_dataloader'
    cfg = overrides.config_of(args, (name,))
    init_default_scope(cfg.get('default_scope') or 'frcnn_plugin')
    with explain_config():
        data = DATASETS.build(cfg[name].dataset)
    drawer = Drawer(tuple(data.metainfo['classes']))
    count = min(args.number, len(data))
    for place in track(np.linspace(0, len(data) - 1, count).round().astype(int),
                       name, console=Console(stderr=True)):
        set_random_state(0, 0, int(place))
        sample = data[int(place)]
        picture = sample['inputs'].permute(1, 2, 0).numpy()
        target = args.out / f'{place:06d}_{Path(sample["data_samples"].img_path).name}'
        mmcv.imwrite(drawer.annotated(picture, sample['data_samples']), str(target))
    print(f'{args.out}: {count} of {len(data)} pictures, with their boxes')

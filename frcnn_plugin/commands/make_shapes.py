"""``tools/make_shapes.py``: generate the data of the demo."""

import argparse
from pathlib import Path

from ..prepare import make_shapes as generator


def make_shapes(argv: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(
        description='Draw shapes on textures, as a data set in VOC layout.')
    parser.add_argument('--out', type=Path, default=Path('data/shapes'),
                        help='the folder (default: %(default)s)')
    parser.add_argument('--train', type=int, default=2000, help='training pictures')
    parser.add_argument('--val', type=int, default=200, help='validation pictures')
    parser.add_argument('--test', type=int, default=300, help='test pictures')
    parser.add_argument('--seed', type=int, default=0, help='seed of everything random')
    args = parser.parse_args(argv)
    counts = dict(train=args.train, val=args.val, test=args.test)
    if generator.make_shapes(args.out, counts, args.seed):
        print(f'{args.out}: {sum(counts.values())} pictures')
    else:
        print(f'{args.out}: there already')

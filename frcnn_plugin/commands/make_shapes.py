"""``frcnn make-shapes``: generate the data of the demo."""

from ..prepare import make_shapes as generator
from .parser import parse


def make_shapes(argv: list[str] | None = None) -> None:
    """Run ``frcnn make-shapes``."""
    args = parse('make_shapes', argv)
    counts = dict(train=args.train, val=args.val, test=args.test)
    made = generator.make_shapes(args.out, counts, args.seed)
    print(f'{args.out}: ' + (f'{sum(counts.values())} pictures' if made else
                             'exists already'))

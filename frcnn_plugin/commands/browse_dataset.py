"""``frcnn browse-dataset``: draw what the network is fed."""

from pathlib import Path

import mmcv
import numpy as np
from mmengine.registry import init_default_scope

from ..engine.resume.seeds import set_random_state
from ..errors import UserError
from ..io.progress import progress
from ..registry import DATASETS, SCOPE, explain_config
from ..visualization.draw import Drawer
from .common import read_config
from .parser import parse


def browse_dataset(argv: list[str] | None = None) -> None:
    """Run ``frcnn browse-dataset``."""
    args = parse('browse_dataset', argv)
    if args.number < 1:
        raise UserError(f'--number is {args.number}; it must be at least 1')
    name = f'{args.loader}_dataloader'
    cfg = read_config(args, (name,))
    init_default_scope(cfg.get('default_scope') or SCOPE)
    with explain_config():
        data = DATASETS.build(cfg[name].dataset)
    drawer = Drawer(tuple(data.metainfo['classes']))
    count = min(args.number, len(data))
    places = np.linspace(0, len(data) - 1, count).round().astype(int).tolist()
    for place in progress(places, name):
        set_random_state(0, 0, place)
        sample = data[place]
        picture = sample['inputs'].permute(1, 2, 0).numpy()
        target = args.out / f'{place:06d}_{Path(sample["data_samples"].img_path).name}'
        mmcv.imwrite(drawer.annotated(picture, sample['data_samples']), str(target))
    print(f'{args.out}: {count} of {len(data)} pictures, with their boxes')

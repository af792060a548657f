"""``frcnn train FOLDER``: from annotated pictures to the config that suits them."""

import argparse
import hashlib
import math
import os
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config

from ..accelerate.precision import check_mixed_precision, has_bfloat16
from ..config.changes import use_bfloat16
from ..config.files import change_settings, load_config
from ..datasets.tiles import OVERLAP, VISIBLE, check_tiles, tiles_of
from ..engine.timed_train_loop import CLOSING, validation_seconds
from ..errors import UserError
from ..io.whole_files import write_whole
from ..prepare.account import number
from ..prepare.prepare_folder import (
    Splits,
    choose_splits,
    lists_match,
    name_in_place,
    write_folder,
)
from ..prepare.understand import Understood, understand
from ..prepare.voc_writer import Picture
from ..recipe.choose import tile_size
from ..recipe.facts import Facts, facts_of
from ..recipe.measure import seconds_of_a_step
from ..recipe.plan import network, plan, proposed_minutes
from ..recipe.recipe import (
    Recipe,
    config_of,
    narrower,
    recipe_for,
    set_minutes,
    smaller,
)
from ..recipe.tiled import tiles_with_boxes
from ..registry import explain_config
from .common import options_of
from .first_weights import RANDOM, set_first_weights, width_of
from .out_of_space import explain_out_of_memory
from .prepare import LEFT_OUT, classes_of, left_out, say

FILE = 'recipe.py'
MADE_OF = 'made_of.txt'  # in the data that is made: changes with the pictures
VALIDATION = 0.1  # of the time, at most
CHEAPER = {  # what is given up for more steps, unless one of these settings is chosen
    narrower: {'backbone', 'in_channels', 'feat_channels', 'out_channels'},
    smaller: {'scale', 'scales'}}
WORTH = 0.9  # of a step's time: what a cheaper one takes at most
FEWEST = 20  # steps that make a training at all


def recipe_of_folder(args: argparse.Namespace, began: float) -> None:
    """Make the recipe for a folder, and put it in the place of the config.

    A run that is resumed keeps the recipe that it began with.

    Args:
        args: Those of ``frcnn train``, whose ``config`` is a folder.
        began: ``time.monotonic()`` at which the minutes began.

    Raises:
        UserError: If the folder cannot be trained on, or not in the time, or is not
            what a run that is resumed began with.
    """
    folder = Path(args.config)
    if args.max_iters is not None:
        raise UserError(f'--max-iters: {folder} is a folder of pictures, which is '
                        'trained on for a time; choose it with --minutes')
    for name, value in (('--data-root', args.data_root), ('--classes', args.classes)):
        if value:
            raise UserError(f'{name}: {folder} is a folder of pictures, which brings '
                            'its own; name a config to choose otherwise')
    if args.launcher != 'none':
        raise UserError(f'--launcher: make the recipe first with frcnn train {folder} '
                        '--plan, then start the job with the file that it names')
    args.work_dir = args.work_dir or str(
        Path('work_dirs') / Path(os.path.abspath(folder)).name)  # links keep their name
    work_dir = Path(args.work_dir)
    here, there = work_dir.resolve(), folder.resolve()
    if here.is_relative_to(there) or there.is_relative_to(here):
        raise UserError(f'--work-dir {work_dir}: it lies in the folder of pictures, or '
                        'that lies in it; choose one elsewhere')
    if args.amp:
        check_mixed_precision('cuda' if torch.cuda.is_available() else 'cpu')
    args.config = str(work_dir / FILE)
    found = understand(folder)
    splits = choose_splits(found, None, 0)
    digest = digest_of(splits)
    if args.resume and Path(args.config).is_file():
        begun = load_config(args.config)
        if begun.get('data_digest') != digest:
            raise UserError(f'{folder}: its pictures or boxes are not those that the '
                            f'run in {work_dir} began with; leave out --resume and '
                            'train anew in another --work-dir')
        if args.tiles is not None and args.tiles != begun.get('tiles', 0):
            what = f'tiles of {begun.tiles} pixels' if begun.get(
                'tiles') else 'whole pictures'
            raise UserError(f'--tiles {args.tiles}: the run in {work_dir} began with '
                            f'{what}; leave out --resume or --tiles')
        args.start = None  # the recipe says where it began
        return
    data_root = data_in(work_dir, found, splits, digest).resolve()
    say(found, splits)
    pictures, classes = splits.members['train'], classes_of(splits)
    facts = facts_of(pictures)
    tiles = tile_size(facts) if args.tiles is None else args.tiles
    if tiles:
        facts = facts_of_tiles(pictures, tiles)
        why = '' if args.tiles else 'the objects are tiny: '
        print(f'{why}pictures are cut into tiles of {tiles} pixels; those without '
              'boxes are left out')
    recipe = recipe_for(facts, not args.no_flip, tiles)
    if args.start:
        recipe.width = width_of(args.start)
    names = [name for name, members in splits.members.items()
             if any(item.name in classes and not item.difficult
                    for picture in members for item in picture.objects)]
    made = partial(config_for, args, classes, data_root, names)
    cfg = made(recipe)
    start = set_first_weights(cfg, args)
    free = args.amp is None and 'optim_wrapper.type' not in options_of(args)
    step = (faster_precision(args, facts, recipe, cfg) if free
            else step_of(cfg, facts, recipe, bool(args.amp)))
    minutes = args.minutes or proposed_minutes(facts, recipe, step)
    if start == RANDOM:
        end = began + 60 * minutes - CLOSING
        wide = recipe
        recipe, cfg, step = cheaper(args, facts, recipe, cfg, step, made, end)
        if free and args.amp and recipe != wide:
            step = faster_precision(args, facts, recipe, cfg, step)
    if free and args.amp:
        print('it trains in bfloat16, which is faster here; --no-amp turns this off')
    closing = CLOSING  # seconds that the end of a run takes: report, last validation
    if 'val' in names and cfg.val_dataloader is not None:
        closing += limit_validation(cfg, splits.members['val'], 60 * minutes, step)
    left = 60 * minutes - (time.monotonic() - began) - closing
    if left < FEWEST * step:
        needed = math.ceil((60 * minutes - left + FEWEST * step) / 60)
        raise UserError(f'--minutes {minutes:g}: too short, a step takes {step:.2g} s '
                        f'here; give it {needed} or more')
    set_minutes(cfg, minutes, step)
    if args.amp and not torch.cuda.is_available():
        use_bfloat16(cfg)
    cfg.data_digest, cfg.recipe_id = digest, uuid.uuid4().hex
    cfg.work_dir = str(work_dir)
    write_whole(args.config, cfg.pretty_text.encode())
    facts.classes = dict.fromkeys(classes, 0) | facts.classes
    for line in plan(facts, recipe, start, 'val' in names, step, left):
        print(line, flush=True)
    if args.minutes is None:
        print('this is the time in which its curve is expected to flatten; '
              '--minutes N sets another one')
    else:
        flat = proposed_minutes(facts, recipe, step)
        print(f'its curve is expected to flatten after about {flat} minutes')
    print(f'all of it in {args.config}, the data in {data_root}', flush=True)


def faster_precision(args: argparse.Namespace, facts: Facts, recipe: Recipe,
                     cfg: Config, half: float | None = None) -> float:
    """Set ``args.amp``: bfloat16 on a CPU where a step is faster in it.

    Args:
        args: Those of ``frcnn train``.
        facts: Of the pictures to train on.
        recipe: What was decided.
        cfg: Its config.
        half: Seconds of a step in bfloat16, if they are known.

    Returns:
        float: Seconds of a step in what was chosen.
    """
    args.amp = False
    full = step_of(cfg, facts, recipe, False)
    if torch.cuda.is_available() or not has_bfloat16():
        return full
    half = half or step_of(cfg, facts, recipe, True)
    args.amp = half < WORTH * full
    return half if args.amp else full


def cheaper(args: argparse.Namespace, facts: Facts, recipe: Recipe, cfg: Config,
            step: float, made: Callable[[Recipe], Config], end: float
            ) -> tuple[Recipe, Config, float]:
    """A recipe with cheaper steps, if there is time or are pictures for only a few.

    Args:
        args: Those of ``frcnn train``; what their ``--cfg-options`` choose stays.
        facts: Of the pictures to train on.
        recipe: The one to begin with.
        cfg: Its config.
        step: Seconds of its steps.
        made: Makes a recipe's config.
        end: ``time.monotonic()`` at which the steps end.

    Returns:
        tuple: The recipe, its config, and seconds of its steps.
    """
    chosen = {part for name in options_of(args) for part in name.split('.')}
    for change, settings in CHEAPER.items():
        steps = max(end - time.monotonic(), 0.0) / step
        fitting = change(recipe, facts, steps)
        if fitting == recipe or settings & chosen:
            continue
        fitting_cfg = made(fitting)
        seconds = step_of(fitting_cfg, facts, fitting, bool(args.amp))
        if seconds < WORTH * step:
            thing = 'tile' if recipe.tiles else 'picture'
            print(f'for {number(len(facts.sizes), thing)}, and a time that is enough '
                  f'for about {steps:.0f} steps of a {network(recipe)}, it trains a '
                  f'{network(fitting)}')
            recipe, cfg, step = fitting, fitting_cfg, seconds
    return recipe, cfg, step


def config_for(args: argparse.Namespace, classes: list[str], data_root: Path,
               names: list[str], recipe: Recipe) -> Config:
    """The config of a recipe, as the arguments change it."""
    cfg = config_of(recipe, classes, data_root, names)
    change_settings(cfg, options_of(args), args.config)
    recipe.batch = cfg.train_dataloader.batch_size
    return cfg


def step_of(cfg: Config, facts: Facts, recipe: Recipe, amp: bool) -> float:
    """Seconds of a step here; mistakes in the config are explained."""
    with explain_config(), explain_out_of_memory(cfg, 'train_dataloader', amp):
        return seconds_of_a_step(cfg, facts, recipe.size, amp)


def facts_of_tiles(pictures: list[Picture], side: int) -> Facts:
    """The facts of the tiles that are trained on.

    Raises:
        UserError: If there can be none.
    """
    check_tiles(side, OVERLAP)
    tiles = tiles_with_boxes(pictures, side)
    if not tiles:
        raise UserError(f'--tiles {side}: none shows {VISIBLE:.0%} of any object')
    return facts_of(tiles)


def limit_validation(cfg: Config, pictures: list[Picture], seconds: float,
                     step: float) -> float:
    """Validate on so many of the pictures that it takes a tenth of the time at most.

    Returns:
        float: The seconds that it takes.
    """
    images = np.array([len(tiles_of(each.height, each.width, cfg.tiles))
                       if cfg.get('tiles') else 1 for each in pictures])
    one = validation_seconds(step, 1, cfg.train_dataloader.batch_size)
    most = max(1, int(VALIDATION * seconds / (one * images.mean())))
    every = math.ceil(len(pictures) / most)
    chosen = list(range(0, len(pictures), every))
    if every > 1:
        labelled = [place for place, picture in enumerate(pictures) if any(
            not item.difficult for item in picture.objects)]
        if labelled and not {*labelled} & {*chosen}:  # nothing could be measured
            chosen[0] = labelled[0]
        data = cfg.val_dataloader.dataset
        data.get('dataset', data).indices = chosen
        print(f'validation: {len(chosen)} of {len(pictures)} pictures, in a tenth of '
              'the time')
    return one * float(images[chosen].sum())


def data_in(work_dir: Path, found: Understood, splits: Splits, digest: str) -> Path:
    """The data set in VOC layout: the folder itself if it is one with these splits.

    Where an earlier run on other data has left one, it stays. Else ``data`` in the work
    dir is the data set, or a link to it where links can be made.
    """
    root, out = found.files.root, work_dir / 'data'
    made_of = out / MADE_OF
    if out.is_symlink() and out.absolute() != root.absolute() and not made_of.is_file():
        out.unlink(missing_ok=True)  # an earlier run's
    if name_in_place(found, None) and lists_match(root, splits):
        work_dir.mkdir(parents=True, exist_ok=True)
        with suppress(OSError):
            out.symlink_to(root.resolve(), target_is_directory=True)
        return root
    if out.exists() and not (made_of.is_file() and made_of.read_text() == digest):
        out = work_dir / f'data_{digest}'
    write_folder(found, splits, out, False, {
        'classes.txt': ''.join(f'{name}\n' for name in classes_of(splits)),
        LEFT_OUT: left_out(found.account, splits.rest), MADE_OF: digest})
    return out


def digest_of(splits: Splits) -> str:
    """Changes with the pictures, their splits and their boxes."""
    digest = hashlib.sha256()
    for name, members in sorted(splits.members.items()):
        for picture in sorted(members, key=lambda each: each.name):
            digest.update(repr((name, picture.name, picture.width, picture.height,
                                picture.objects)).encode())
    return digest.hexdigest()[:16]

"""``frcnn make-proposals``: search the proposals of R-CNN and Fast R-CNN."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

from ..datasets.proposals import images_by_key, write_proposals
from ..datasets.voc_layout import find_folders, find_image, read_split
from ..errors import UserError
from ..io.progress import progress
from ..prepare import proposal_parts
from ..prepare.selective_search import require_contrib
from .parser import parse

Task = tuple[Path, Path, proposal_parts.Settings]  # an image, its part, and how


def make_proposals(argv: list[str] | None = None) -> Path:
    """Run ``frcnn make-proposals``; returns the file.

    After an error or an interruption the regions of the images that were searched are
    kept.
    """
    args = parse('make_proposals', argv)
    for name, least in (('num', 1), ('max_side', 0), ('workers', 1)):
        if getattr(args, name) < least:
            raise UserError(f'--{name.replace("_", "-")} is {getattr(args, name)}; it '
                            f'must be at least {least}')
    if args.out.suffix != '.npz':
        raise UserError(f'--out {args.out}: proposals are written as .npz')
    require_contrib()
    folders = find_folders(args.data_root.expanduser(), args.folders)
    images = images_by_key(
        find_image(folder, name) for split in args.split for folder in folders
        for name in read_split(folder, split))
    settings = proposal_parts.Settings(
        folders=[str(folder.resolve()) for folder in folders], num=args.num,
        quality=args.quality, max_side=args.max_side)
    out = args.out.expanduser()
    folder = proposal_parts.open_parts(out, settings, args.overwrite)
    parts = {key: proposal_parts.part_of(folder, key) for key in images}
    left = [(image, parts[key], settings) for key, image in images.items()
            if not parts[key].is_file()]
    if len(left) < len(images):
        print(f'{folder}: {len(images) - len(left)} of {len(images)} images are there')
    for _ in progress(_run(left, min(args.workers, len(left))), out, len(left)):
        pass
    proposals = {key: proposal_parts.read_part(part) for key, part in parts.items()}
    write_proposals(out, proposals)
    shutil.rmtree(folder)
    count = sum(len(entry['bboxes']) for entry in proposals.values())
    print(f'{out}: {count} regions of {len(proposals)} images')
    return out


def _run(tasks: list[Task], workers: int) -> Iterator[None]:
    """Search all images; yields after each one."""
    if workers <= 1:
        yield from (proposal_parts.search(*task) for task in tasks)
        return
    context = get_context('forkserver')  # all workers share one import of torch
    context.set_forkserver_preload([proposal_parts.__name__])
    with ProcessPoolExecutor(workers, context, proposal_parts.begin_workers) as pool:
        try:
            futures = [pool.submit(proposal_parts.search, *task) for task in tasks]
            yield from (future.result() for future in as_completed(futures))
        except BrokenProcessPool as error:
            raise UserError(
                'a process was killed, perhaps for lack of memory; the same command '
                'continues from here, with fewer --workers if need be') from error
        finally:  # an error or Ctrl-C ends the work now, and not after the last image
            pool.shutdown(cancel_futures=True)

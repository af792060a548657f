"""How the cost grows: one setting at a time, with the others as they are."""

import copy
import statistics
from argparse import Namespace

from .measure import in_turn, peak_memory
from .tasks import TASKS, with_defaults

AXES = {  # setting: the task, its values, and the batch it is seen at
    'size': ('inference', [(304, 400), (456, 608), (608, 800), (800, 1088)], 1),
    'batch': ('inference', [1, 2, 4, 8], 1),
    'regions': ('inference', [100, 300, 1000], 1),
    'boxes': ('targets', [1, 10, 100, 1000, 2000], 2),
    'proposals': ('targets', [300, 1000, 2000], 2),
}


def sweep(args: Namespace) -> dict:
    """Ours and the peer at every value of every axis.

    Args:
        args: The command line; ``--axes`` says which.

    Returns:
        dict: ``rows``; each has ``axis``, ``value`` and ``results``: name, median in
        seconds and peak memory in bytes.
    """
    rows = []
    for axis in args.axes or AXES:
        task, values, batch = AXES[axis]
        for value in values if args.values is None else args.values:
            here = copy.copy(args)
            here.task, here.batch = task, args.batch or batch
            setattr(here, axis, value)
            here = with_defaults(here)
            print(f'{task}: {axis} {value}', flush=True)
            work = TASKS[task](here)
            memory = {name: peak_memory(here.device, run) for name, run in work.items()}
            rows.append(dict(axis=axis, value=value, task=task, results=[
                dict(name=name, median=statistics.median(seconds), memory=memory[name])
                for name, seconds in in_turn(here, work).items()]))
    return dict(rows=rows)

"""The tasks that are one table: what each has by default, and all its figures."""

import statistics
from argparse import Namespace

from .devices import devices
from .inference import inference
from .loading import loading
from .measure import count_flops, count_waits, in_turn, peak_memory
from .rate import BestRate, processor
from .targets import suppression, targets
from .training import training

TASKS = dict(inference=inference, training=training, targets=targets,
             suppression=suppression, loading=loading, devices=devices)
DEFAULTS = dict(  # batch, regions an image, proposals an image
    inference=(1, 300, 300), training=(2, 128, 2000), targets=(8, 1, 2000),
    suppression=(8, 12000, 2000), loading=(None, 0, 0), devices=(2, 0, 64),
    kernels=(2, 1000, 0))
BEST = 'best rate'


def with_defaults(args: Namespace) -> Namespace:
    """The same, with what its task has by default."""
    for name, value in zip(('batch', 'regions', 'proposals'),
                           DEFAULTS.get(args.task, (None,) * 3), strict=True):
        if getattr(args, name) is None:
            setattr(args, name, value)
    return args


def measure(args: Namespace) -> dict:
    """All figures of one task; no share of a rate where nothing is multiplied."""
    work = TASKS[args.task](args)
    for run in work.values():  # whatever is compiled is compiled now
        run()
    flops = {name: count_flops(run) for name, run in work.items()}
    waits = {name: count_waits(args.device, run) for name, run in work.items()}
    memory = {name: peak_memory(args.device, run) for name, run in work.items()}
    best = BestRate(args) if any(flops.values()) else None
    times = in_turn(args, {**work, BEST: best} if best else work)
    rate = best.rate(times.pop(BEST)) if best else None
    mine = statistics.median(next(iter(times.values())))
    results = []
    for name, seconds in times.items():
        median = statistics.median(seconds)
        results.append(dict(
            name=name, median=median, seconds=seconds, ratio=median / mine,
            flops=flops[name], share=flops[name] / median / rate if rate else None,
            waits=waits[name], memory=memory[name]))
    return dict(rate=rate, rate_of=str(best or ''), processor=processor(),
                results=results)

"""Seconds, operations, memory and waits of a piece of work."""

import re
import time
import warnings
from argparse import Namespace
from collections.abc import Callable
from contextlib import contextmanager, nullcontext
from pathlib import Path

import torch
from audit import KERNELS, Audit
from torch.utils.flop_counter import FlopCounterMode

DTYPES = dict(bf16=torch.bfloat16, fp16=torch.float16)
PRECISIONS = ['fp32', 'tf32', *DTYPES]


def in_precision(args: Namespace, run: Callable) -> Callable:
    """The same work in ``args.precision``."""
    def in_that():
        with precision(args):
            return run()
    return in_that


@contextmanager
def precision(args: Namespace):
    """fp32 is exact; tf32 and the half types are what a GPU's tensor cores take."""
    before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    set_tf32(args.precision == 'tf32', args.precision == 'tf32')
    dtype = DTYPES.get(args.precision)
    try:
        with torch.autocast(args.device, dtype) if dtype else nullcontext():
            yield
    finally:
        set_tf32(*before)


def set_tf32(convolutions: bool, products: bool) -> None:
    """Whether a GPU may round the factors of fp32 products to 10 bits."""
    torch.backends.cudnn.allow_tf32 = convolutions
    torch.backends.cuda.matmul.allow_tf32 = products


def in_turn(args: Namespace, work: dict) -> dict[str, list[float]]:
    """Seconds of every run; each has been run before."""
    times: dict[str, list[float]] = {name: [] for name in work}
    for round_ in range(args.repeat):
        for name, run in work.items():
            times[name].append(seconds_of(args.device, run))
            print(f'{round_ + 1} of {args.repeat}, {name}: {times[name][-1]:.4f} s',
                  flush=True)
    return times


def seconds_of(device: str, run: Callable) -> float:
    """Of one piece of work; ``prepare`` and ``per_call`` of it are regarded."""
    getattr(run, 'prepare', lambda: None)()
    wait_for(device)
    begin = time.perf_counter()
    run()
    wait_for(device)
    return (time.perf_counter() - begin) / getattr(run, 'per_call', 1)


def wait_for(device: str) -> None:
    """Until a GPU has done what it was told."""
    if device.startswith('cuda'):
        torch.cuda.synchronize()


def count_flops(run: Callable) -> float:
    """Floating-point operations of convolutions and matrix products."""
    with FlopCounterMode(display=False) as counter, torch.compiler.set_stance(
            'force_eager'):
        run()
    return float(counter.get_total_flops())


def peak_memory(device: str, run: Callable) -> float:
    """Bytes: of a GPU what torch held, else of the whole process (Linux only)."""
    if device.startswith('cuda'):
        torch.cuda.reset_peak_memory_stats()
        run()
        return float(torch.cuda.max_memory_allocated())
    try:
        Path('/proc/self/clear_refs').write_text('5')  # the highest mark starts anew
        run()
        status = Path('/proc/self/status').read_text()
    except OSError:
        return float('nan')
    return float(re.search(r'VmHWM:\s*(\d+)', status)[1]) * 1024


def count_waits(device: str, run: Callable) -> int:
    """How often the host waits for a GPU; on a CPU, how often it would."""
    if not device.startswith('cuda'):
        with Audit() as seen, torch.compiler.set_stance('force_eager'):
            run()
        return seen.waits().total() + sum(seen.counts[name] for name in KERNELS)
    torch.cuda.set_sync_debug_mode('warn')
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter('always')
            run()
    finally:
        torch.cuda.set_sync_debug_mode('default')
    return sum('synchroniz' in str(each.message) for each in caught)

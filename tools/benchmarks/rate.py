"""What a machine can reach: its best rate at the operations that detectors consist of.

One product of two matrices through one library says little: on some processors another
library, or a convolution of 3x3, is twice as fast.
"""

import math
import statistics
from argparse import Namespace
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import NamedTuple

import torch
import torch.nn.functional as F

from frcnn_plugin.accelerate.precision import has_bfloat16

from .measure import DTYPES, in_precision, seconds_of

SETS = dict(avx2='AVX2', avx512='AVX-512', vnni='AVX-512 VNNI',
            avx512_bf16='AVX-512 BF16', amx_tile='AMX')
ENOUGH = 0.5  # seconds of one measurement: others may use the processor too
ON_A_GPU = 0.05


class Operation(NamedTuple):
    """A convolution without stride; on maps of one pixel it is a matrix product."""

    name: str
    shape: tuple[int, int, int, int]  # (N, I, H, W) of its input
    outputs: int  # channels
    kernel: int = 1

    @property
    def flops(self) -> int:
        """Operations, those on the padding too, as torch's counter has them."""
        return 2 * math.prod(self.shape) * self.outputs * self.kernel**2


OPERATIONS = [  # few regions: the rate is the same, and it is soon known
    Operation('matrices of 2048x2048', (2048, 2048, 1, 1), 2048),
    Operation('fc layer, 12544 to 1024, 1000 regions', (1000, 12544, 1, 1), 1024),
    Operation('1x1, 1024 to 512, 64 regions of 14x14', (64, 1024, 14, 14), 512),
    Operation('1x1, 512 to 2048, 64 regions of 7x7', (64, 512, 7, 7), 2048),
    Operation('3x3, 512 to 512, 16 regions of 14x14', (16, 512, 14, 14), 512, 3),
    Operation('3x3, 512 to 512, 64 regions of 7x7', (64, 512, 7, 7), 512, 3),
    Operation('3x3, 1024 to 512, a map of 38x50', (1, 1024, 38, 50), 512, 3),
    Operation('3x3, 256 to 256, a map of 76x100', (1, 256, 76, 100), 256, 3),
]
ON_GPU = [*OPERATIONS, Operation('matrices of 8192x8192', (8192, 8192, 1, 1), 8192)]


class BestRate:
    """The fastest operation through the fastest library; a call runs it.

    Args:
        args: ``device`` and ``precision``, see :func:`precision_of`; int8 needs
            OpenVINO.

    Attributes:
        precision (str): In which it runs.
        operation (Operation): What it is.
        library (str): Through which.
        per_call (int): How often in one call.

    Raises:
        LookupError: If no library has the precision.
    """

    def __init__(self, args: Namespace) -> None:
        best, self.precision = 0.0, precision_of(args)
        for operation in ON_GPU if args.device.startswith('cuda') else OPERATIONS:
            for library, run in ways(operation, args.device, self.precision):
                run()
                rate = operation.flops / min(
                    seconds_of(args.device, run) for _ in range(2))
                if rate > best:
                    best, self.run = rate, run
                    self.operation, self.library = operation, library
        if not best:
            raise LookupError(f'{args.precision}: no library at hand computes in it')
        enough = ENOUGH if args.device == 'cpu' else ON_A_GPU
        self.times = max(1, math.ceil(enough * best / self.operation.flops))
        self.per_call = self.times * getattr(self.run, 'per_call', 1)

    def __call__(self) -> None:
        """Compute."""
        for _ in range(self.times):
            self.run()

    def rate(self, seconds: list[float]) -> float:
        """Operations a second, from the seconds of each."""
        return self.operation.flops / statistics.median(seconds)

    def __str__(self) -> str:
        return f'{self.precision}, {self.operation.name}, {self.library}'


def ways(operation: Operation, device: str, precision: str
         ) -> Iterator[tuple[str, Callable]]:
    """Each way to run an operation: the library, and what runs it."""
    if precision != 'int8':
        asked = Namespace(device=device, precision=precision)
        for library, run in through_torch(operation, device, DTYPES.get(precision)):
            yield library, in_precision(asked, run)
    if device == 'cpu' and find_spec('openvino') and operation.shape[-1] > 1:
        from .through_openvino import convolution
        yield 'OpenVINO', convolution(operation, precision)


def precision_of(args: Namespace) -> str:
    """The precision that a device really computes in, where it is asked for one."""
    if args.device != 'cpu' or args.precision == 'int8' or (
            args.precision == 'bf16' and has_bfloat16()):
        return args.precision
    return 'fp32'


def through_torch(operation: Operation, device: str, dtype: torch.dtype | None
                  ) -> Iterator[tuple[str, Callable]]:
    """torch's ways: for products MKL and oneDNN, for others both orders of memory."""
    x = torch.randn(operation.shape, device=device, dtype=dtype)
    weight = torch.randn(operation.outputs, x.size(1), *(operation.kernel,) * 2,
                         device=device, dtype=dtype)
    if operation.kernel == 1:
        pixels, matrix = x.permute(0, 2, 3, 1).flatten(0, 2), weight.flatten(1)
        yield 'torch, product', lambda: F.linear(pixels, matrix)
        if device == 'cpu':
            ours, theirs = pixels.to_mkldnn(), matrix.to_mkldnn()
            yield 'torch, product by oneDNN', lambda: F.linear(ours, theirs)
    if x[0, 0].numel() > 1:
        for name in ('contiguous_format', 'channels_last'):
            order = getattr(torch, name)
            here, filters = x.to(memory_format=order), weight.to(memory_format=order)
            yield f'torch, {name}', lambda x=here, weight=filters: F.conv2d(
                x, weight, padding=operation.kernel // 2)


def processor() -> str:
    """The instruction sets of the processor that bear on the speed."""
    return ', '.join(
        name for kind, name in SETS.items()
        if getattr(torch.cpu, f'_is_{kind}_supported')()) or 'no AVX2'

"""Ways to run one detector: in torch, and from its files in other runtimes.

Each is made by a function that raises ``LookupError`` with the reason if it cannot run
here. What it makes takes a (1, 3, H, W) float32 array and returns boxes, scores and
labels as arrays.
"""

import copy
import logging
from argparse import Namespace
from collections.abc import Callable
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import nn

from frcnn_plugin.accelerate import for_inference
from frcnn_plugin.accelerate.precision import has_bfloat16
from frcnn_plugin.export import GraphDetector, save_onnx

from .measure import in_precision

PICTURES = 4  # random ones, from which the ranges for int8 are taken
Run = Callable[[np.ndarray], list[np.ndarray]]


def rows_of(net: nn.Module, folder: Path, size: tuple[int, int]
            ) -> dict[str, Callable[[], Run]]:
    """By name, which ends with the precision; all have the same weights.

    Args:
        net: A detector; it stays as it is.
        folder: A place for its files, as long as they are run.
        size: Height and width of the pictures.
    """
    @cache
    def plain() -> Path:
        need('onnx', 'onnxscript')
        save_onnx(GraphDetector(net, plain=True), folder / 'plain.onnx', {})
        return folder / 'plain.onnx'

    @cache
    def file() -> Path:
        need('onnx', 'onnxscript', 'openvino')
        from frcnn_plugin.export.to_openvino import openvino_model, save_openvino
        save_openvino(openvino_model(GraphDetector(net), {}), folder / 'ours.xml')
        return folder / 'ours.xml'

    fast = GraphDetector(for_inference(copy.deepcopy(net)))
    return {
        'ours, for_inference, fp32': partial(in_torch, fast, 'fp32'),
        'ours, for_inference, bf16': partial(in_torch, fast, 'bf16'),
        'plain ONNX file, onnxruntime, fp32': partial(in_onnxruntime, plain),
        'plain ONNX file, OpenVINO, fp32': partial(in_openvino, plain, 'fp32', size),
        'plain ONNX file, OpenVINO, bf16': partial(in_openvino, plain, 'bf16', size),
        **{f'frcnn export --to openvino, {precision}': partial(
            in_openvino, file, precision, size)
            for precision in ('fp32', 'bf16', 'int8')},
    }


def need(*modules: str) -> None:
    """Raise ``LookupError`` if one is not installed."""
    for name in modules:
        if find_spec(name) is None:
            raise LookupError(f'{name} is not installed')


def need_precision(precision: str) -> None:
    """Raise ``LookupError`` if the processor computes no faster in it than in fp32."""
    if precision == 'bf16' and not has_bfloat16():
        raise LookupError('the processor has no bfloat16')


def in_torch(graph: GraphDetector, precision: str) -> Run:
    """``graph`` itself."""
    need_precision(precision)
    detect = torch.no_grad()(graph)
    setting = Namespace(device='cpu', precision=precision)

    def run(image: np.ndarray) -> list[np.ndarray]:
        found = in_precision(setting, lambda: detect(torch.from_numpy(image)))()
        return [part.numpy() for part in found]
    return run


def in_onnxruntime(file: Callable[[], Path]) -> Run:
    """The ONNX file that ``file`` makes, on as many threads as torch has."""
    need('onnxruntime')
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(
        str(file()), options, providers=['CPUExecutionProvider'])
    return lambda image: session.run(None, dict(image=image))


def in_openvino(file: Callable[[], Path], precision: str, size: tuple[int, int]) -> Run:
    """The ONNX file, or one for OpenVINO, that ``file`` makes; in int8 by NNCF."""
    need_precision(precision)
    need('openvino', *(['nncf'] if precision == 'int8' else []))
    from .through_openvino import core, runner_of
    model = core().read_model(file())
    if precision == 'int8':
        import nncf
        logging.getLogger('nncf').setLevel(logging.WARNING)
        pictures = np.random.default_rng(0).uniform(
            0, 255, (PICTURES, 1, 3, *size)).astype(np.float32)
        model = nncf.quantize(model, nncf.Dataset(pictures), subset_size=PICTURES)
    return runner_of(model, precision)

"""Models for OpenVINO, compiled for as many threads as torch has."""

from collections.abc import Callable

import numpy as np
import openvino
import torch
from openvino import opset13

from frcnn_plugin.inference.file_detector import core

HINTS = dict(fp32='f32', bf16='bf16', int8='f32')  # int8 is in the model itself
LAYERS = 3  # in a row, so that the orders of memory at both ends count little


def runner_of(model, precision: str) -> Callable[[np.ndarray], list[np.ndarray]]:
    """A function from the only input to the outputs of a model.

    Raises:
        RuntimeError: If OpenVINO cannot compile it.
    """
    request = core().compile_model(model, 'CPU', dict(
        INFERENCE_PRECISION_HINT=HINTS[precision], PERFORMANCE_HINT='LATENCY',
        INFERENCE_NUM_THREADS=torch.get_num_threads())).create_infer_request()

    def run(inputs: np.ndarray) -> list[np.ndarray]:
        request.infer([inputs])
        return [np.array(output.data) for output in request.output_tensors]
    return run


def convolution(operation, precision: str) -> Callable[[], object]:
    """An ``Operation`` of rate.py, ``per_call`` of them in a row.

    In int8, OpenVINO is told the ranges of inputs and weights, as NNCF does.
    """
    channels, pad = operation.shape[1], [operation.kernel // 2] * 2
    shape = operation.outputs, channels, operation.kernel, operation.kernel
    x = inputs = opset13.parameter(list(operation.shape), np.float32)
    limit = (3 / np.prod(shape[1:])) ** 0.5  # the results keep the spread of the input
    layers = LAYERS if operation.outputs == channels else 1
    for _ in range(layers):
        weight = opset13.constant(
            np.random.uniform(-limit, limit, shape).astype(np.float32))
        if precision == 'int8':
            x = rounded(x, 4.0, 256)
            weight = rounded(weight, limit, 255)
        x = opset13.convolution(x, weight, [1, 1], pad, pad, [1, 1])
    run = runner_of(openvino.Model([x], [inputs], 'convolution'), precision)
    image = np.random.randn(*operation.shape).astype(np.float32)

    def convolve():
        return run(image)
    convolve.per_call = layers
    return convolve


def rounded(x, limit: float, levels: int):
    """``x`` in so many steps from -limit to limit, less one step if they are even."""
    ends = [opset13.constant(np.float32(end)) for end in (
        -limit, limit * (1 - 2 / levels * (levels % 2 == 0)))]
    return opset13.fake_quantize(x, *ends, *ends, levels)

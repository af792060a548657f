"""A file of ``frcnn export`` as a detector, by OpenVINO."""

import json
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import groupby
from pathlib import Path

import numpy as np
import openvino

from ..errors import DetectorFileError, MixedPrecisionError, UserError
from ..evaluation.operating_points import KEY
from .detector import Detector
from .images import resize_image, resized_shape
from .prediction import Prediction

NOTES = 'frcnn_plugin'  # where a file keeps what a program must know of it


class FileDetector(Detector):
    """What ``Detector(file)`` is, if the file is an ``.xml`` of OpenVINO or ``.onnx``.

    It needs neither torch nor mmdet. Pictures are read, resized and normalised as the
    file says.

    Args:
        checkpoint: The file; an ``.xml`` has its weights beside it, in the ``.bin``.
        config: Must be None: the file has all its settings.
        device: OpenVINO's name of a device, ``'cpu'`` by default.
        classes: Names to use in place of those in the file.
        compile, fast: Ignored: they are for checkpoints; a file is always compiled.
        amp: Whether it computes in bfloat16, or float16 where the device has that.

    Attributes:
        notes (dict): What ``frcnn export`` wrote about the detector.

    Raises:
        UserError: If the file cannot be read or is of another program, or OpenVINO
            does not have the device.
    """

    def __init__(self, checkpoint: str | Path, config: None = None,
                 device: str | None = None, classes: Iterable[str] | None = None,
                 compile: bool = False, fast: bool = True, amp: bool = False) -> None:
        path = checkpoint
        if config is not None:
            raise UserError(f'{path}: has its settings inside; leave out {config}')
        model = read_model(Path(path))
        self.notes = read_notes(model, path)
        self.classes = tuple(classes or self.notes['classes'])
        self.tiles = self.notes.get('tiles')
        if len(self.classes) != len(self.notes['classes']):
            raise UserError(f'{path}: has {len(self.notes["classes"])} classes, but '
                            f'{len(self.classes)} names were given for them')
        self.take_operating_points(self.notes.get(KEY), path)
        device = (device or 'cpu').upper()
        try:
            able = core().get_property(device, 'OPTIMIZATION_CAPABILITIES')
            kind = 'f32'
            if amp:  # float16 is what CPUs can read, too, and do not compute in
                kind = 'bf16' if 'BF16' in able else 'f16'
                if kind == 'f16' and (device == 'CPU' or 'FP16' not in able):
                    raise MixedPrecisionError(
                        f'{path}: device {device} has no instructions for 16 bits')
            self.network = core().compile_model(model, device, dict(
                PERFORMANCE_HINT='LATENCY', INFERENCE_PRECISION_HINT=kind))
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1]
            raise UserError(f'{path}: OpenVINO cannot run it on device {device} '
                            f'({reason})') from error

    def detect(self, images: Sequence[np.ndarray]) -> list[Prediction]:
        """What is in (H, W, 3) uint8 images, BGR; those of one size at once."""
        found = []
        for _, group in groupby(images, key=np.shape):
            found += run_network(self.network, self.notes, np.stack(list(group)))
        return [self.prediction(*parts) for parts in found]


def run_network(network: openvino.CompiledModel, notes: dict,
                images: np.ndarray) -> list[tuple]:
    """What is in a batch of pictures of one size.

    Args:
        network: A compiled model of OpenVINO.
        notes: What ``frcnn export`` wrote about it.
        images: (B, H, W, 3) uint8, BGR.

    Returns:
        list: For each picture (n, 4) float32 boxes in its own pixels, (n,) float32
        scores and (n,) int64 labels, the best first.
    """
    inputs = inputs_of(images, notes)
    boxes, scores, labels, index = network(inputs).values()
    if not notes['resize_inside']:
        height, width = images.shape[1:3]
        boxes = boxes / np.array(
            [inputs.shape[3] / width, inputs.shape[2] / height] * 2, np.float32)
    return [(boxes[here], scores[here], labels[here])
            for here in (index == number for number in range(len(images)))]


def inputs_of(images: np.ndarray, notes: dict) -> np.ndarray:
    """What the network is given for (B, H, W, 3) uint8 pictures."""
    if notes['resize_inside']:
        return images
    height, width = images.shape[1:3]
    new = resized_shape(height, width, notes['resize'])
    if new != (height, width):
        images = np.stack([resize_image(image, *new) for image in images])
    return images.transpose(0, 3, 1, 2).astype(np.float32)


@cache
def core() -> openvino.Core:
    """The only core of OpenVINO in this process; it lives as long as the process.

    OpenVINO's CPU plugin installs a stack for signal handlers and frees it with its
    core. If the first of two cores is freed first, the second restores the freed stack,
    and the next signal, such as that of a child's end, kills the process.
    """
    return openvino.Core()


def read_model(path: Path) -> openvino.Model:
    """The file as a model of OpenVINO; raises :class:`DetectorFileError`."""
    if not path.is_file():
        raise DetectorFileError(f'{path}: no such file')
    weights = path.with_suffix('.bin')
    if path.suffix.lower() == '.xml' and not weights.is_file():
        raise DetectorFileError(f'{path}: its weights, {weights.name}, are not beside '
                                'it; an exported detector is both files')
    try:
        return core().read_model(path)
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise DetectorFileError(f'{path}: not a file that OpenVINO can read '
                                f'({reason})') from error


def read_notes(model: openvino.Model, path: str | Path) -> dict:
    """What ``frcnn export`` wrote into a file; raises :class:`DetectorFileError`."""
    for place in ([NOTES], ['framework', NOTES]):  # of an .xml, of an .onnx
        if model.has_rt_info(place):
            notes = json.loads(model.get_rt_info(place).astype(str))
            if 'resize_inside' in notes:
                return notes
            raise DetectorFileError(f'{path}: an older version of frcnn_plugin made it')
    raise DetectorFileError(f'{path}: not a detector that frcnn_plugin exported')

"""The graph in OpenVINO's own format: an ``.xml``, and its weights in a ``.bin``."""

import json
import tempfile
from pathlib import Path

import openvino

from ..inference.file_detector import NOTES
from .graph import GraphDetector
from .to_onnx import save_onnx


def openvino_model(graph: GraphDetector, notes: dict) -> openvino.Model:
    """A detector as OpenVINO has it in memory.

    Args:
        graph: The detector.
        notes: What a program must know of it; kept as JSON in the file.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / 'detector.onnx'
        save_onnx(graph, file, notes)
        model = openvino.convert_model(file)
    model.set_rt_info(json.dumps(notes), NOTES)
    return model


def save_openvino(model: openvino.Model, path: Path) -> int:
    """Write both files, each whole or not at all; returns their size in bytes."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        part = Path(folder) / path.name
        openvino.save_model(model, part, compress_to_fp16=False)
        size = 0
        for file in (part.with_suffix('.bin'), part):
            size += file.stat().st_size
            file.replace(path.parent / file.name)
    return size

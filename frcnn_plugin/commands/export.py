"""``frcnn export``: write a trained detector as one file for other programs."""

import argparse
import json
import os
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from rich.console import Console
from rich.table import Table

from ..datasets import VOCFolder
from ..errors import DataRootError, UserError
from ..evaluation.operating_points import KEY
from ..export import GraphDetector, export_graph, save_onnx
from ..inference import Detector
from ..inference.detector import is_runtime_file
from ..inference.images import read_image
from ..io.large_image import allow_large_pictures
from ..stream import sources
from .arguments.detectors import FORMATS
from .parser import parse

NEEDED = {  # packages, by format
    'onnx': ('onnx', 'onnxscript', 'onnxruntime'),
    'openvino': ('onnx', 'onnxscript', 'openvino', 'nncf'), 'torch-export': ()}
TOLERANCE = 1e-3  # pixels, and score


def export(argv: list[str] | None = None) -> int:
    """Run ``frcnn export``; 1 if the file was compared and the results differ."""
    args = parse('export', argv)
    allow_large_pictures()
    out = check_arguments(args)
    images = [source.path for text in args.check or () for source in sources(text)]
    detector = Detector(args.checkpoint, args.config, device='cpu', fast=False)
    resize = resizing(detector)
    try:
        graph = GraphDetector(detector.model, resize if args.with_resize else None)
    except TypeError as error:
        raise UserError(f'{args.checkpoint}: cannot be exported: {error}') from error
    notes = dict(
        classes=detector.classes, resize=resize, resize_inside=args.with_resize,
        input='BGR, 0 to 255, ' + (
            '(B, H, W, 3) uint8' if args.with_resize else '(B, 3, H, W), resized'),
        precision='int8' if args.int8 else 'fp32',
        test_cfg=detector.model.roi_head.test_cfg, **(
            {KEY: detector.operating_points} if detector.operating_points else {}),
        **(dict(tiles=detector.tiles) if detector.tiles else {}))
    pictures = read_pictures(args, detector) if args.int8 else []
    print('exporting, which takes a minute or two', flush=True)
    if args.to == 'openvino':
        write_openvino(graph, notes, pictures, out)
    elif args.to == 'onnx':
        save_onnx(graph, out, notes)
    else:
        torch.export.save(export_graph(graph), out,
                          extra_files=dict(frcnn_plugin=json.dumps(notes)))
    size = sum(file.stat().st_size for file in {out, out.with_suffix('.bin')}
               if file.is_file())
    print(f'{out}: {size / 1e6:.1f} MB, for pictures of any size')
    return compare(out, detector, graph, images) if images else 0


def check_arguments(args: argparse.Namespace) -> Path:
    """Refuse what does not go together; returns the file to write."""
    if is_runtime_file(args.checkpoint):
        raise UserError(f'{args.checkpoint}: is exported already; export the '
                        'checkpoint')
    lacking = [name for name in NEEDED[args.to] if find_spec(name) is None
               and (args.int8 or name != 'nncf')]
    if lacking:
        raise UserError(f'--to {args.to} needs {", ".join(lacking)} (pip install '
                        f'{" ".join(lacking)})')
    if args.int8 and args.to != 'openvino':
        raise UserError('--int8 needs --to openvino')
    if args.int8 and not args.calibrate:
        raise UserError('--int8 is adjusted to pictures with annotations: give the '
                        'data set with --calibrate DIR')
    if args.int8 and args.check:
        raise UserError('--check compares what has to be equal; of --int8 the AP '
                        'before and after is printed anyway')
    suffix = FORMATS[args.to]
    out = args.out or Path(args.checkpoint).with_suffix(suffix)
    if out.suffix != suffix:
        raise UserError(f'--out {out}: a file of --to {args.to} ends with {suffix}')
    weights = out.with_suffix('.bin')  # which OpenVINO writes beside it
    if args.to == 'openvino' and weights.exists() and (
            not out.exists() or weights.samefile(args.checkpoint)):
        raise UserError(f'--out {out}: {weights} would be written over; give another '
                        'name')
    out.parent.mkdir(parents=True, exist_ok=True)
    if not os.access(out.parent, os.W_OK):
        raise UserError(f'--out {out}: nothing can be written into this folder')
    return out


def resizing(detector: Detector) -> dict:
    """How pictures are resized before inference, by the settings of the pipeline."""
    settings: dict = {}
    for step in detector.pipeline.transforms:
        name = type(step).__name__
        if name in ('Resize', 'FixScaleResize') and not settings and (
                step.interpolation == 'bilinear'):
            settings = dict(scale=step.scale, scale_factor=step.scale_factor,
                            keep_ratio=step.keep_ratio)
        elif name != 'PackDetInputs':
            raise UserError(f'the pipeline of this detector has {step!r}, which an '
                            'exported file does not do')
    return settings


def read_pictures(args: argparse.Namespace, detector: Detector) -> list:
    """The pictures of ``--calibrate`` with their annotations, or their tiles."""
    from ..datasets.tiled_dataset import TiledDataset
    from ..export.quantize import Picture, halves

    try:
        data = VOCFolder(data_root=str(args.calibrate), split=args.split,
                         test_mode=True, pipeline=[],
                         metainfo=dict(classes=detector.classes))
    except DataRootError as error:  # its advice names another option
        raise UserError(f'--calibrate: {error}') from error
    parts = TiledDataset(data, detector.tiles, []) if detector.tiles else data
    pictures = []
    for info in map(parts.get_data_info, range(len(parts))):
        boxes = info['instances']
        pictures.append(Picture(
            info['img_path'],
            np.float32([box['bbox'] for box in boxes]).reshape(-1, 4),
            np.int64([box['bbox_label'] for box in boxes]),
            np.array([bool(box['ignore_flag']) for box in boxes], dtype=bool),
            info.get('tile')))
    if not any(len(picture.labels) for picture in halves(pictures)[1]):
        raise UserError(f'{args.calibrate}: {len(data)} pictures in {args.split}; '
                        '--int8 needs at least two, with boxes')
    return pictures


def write_openvino(graph: GraphDetector, notes: dict, pictures: list,
                   out: Path) -> None:
    """Write the file; with pictures in 8 bits, and a table of what that costs."""
    from ..export.to_openvino import openvino_model, save_openvino

    model = openvino_model(graph, notes)
    if not pictures:
        save_openvino(model, out)
        return
    from ..export.quantize import halves, quantize

    fit, check = map(len, halves(pictures))
    thing = 'tiles' if 'tiles' in notes else 'pictures'
    print(f'measuring ranges on {fit} {thing}, and the accuracy on {check}', flush=True)
    quantized, *measured = quantize(model, notes, pictures)
    with tempfile.TemporaryDirectory() as folder:
        sizes = [save_openvino(model, Path(folder) / out.name),
                 save_openvino(quantized, out)]
    table = Table('', 'AP, IoU 0.50 to 0.95', 'MB', 'a picture, ms', title='Accuracy '
                  'on the half of the pictures that was not adjusted to')
    for name, each, size in zip(('float32', 'int8'), measured, sizes, strict=True):
        table.add_row(name, f'{each.ap:.4f}', f'{size / 1e6:.1f}',
                      f'{each.seconds * 1000:.0f}')
    Console().print(table)


def compare(path: Path, detector: Detector, graph: GraphDetector,
            images: list[Path]) -> int:
    """Print what the file and the checkpoint detect; 1 if they differ."""
    run = runner_of(path)
    table = Table('image', 'detections', 'boxes, pixels', 'scores', 'labels',
                  title='Largest difference from the checkpoint')
    worst = 0.0
    for image in images:
        inputs, expected = prepared(detector, graph, read_image(image))
        found = run(inputs)
        if len(found[1]) != len(expected[1]):
            row = ['differ in number', '', '']
            worst = float('inf')
        else:
            differences = [float(np.abs(a.astype(float) - b).max(initial=0))
                           for a, b in zip(found[:3], expected, strict=True)]
            row = [f'{value:.1e}' for value in differences]
            worst = max(worst, *differences)
        table.add_row(image.name, f'{len(found[1])} of {len(expected[1])}', *row)
    Console().print(table)
    if worst > TOLERANCE:
        print(f'they differ by more than {TOLERANCE}')
    return int(worst > TOLERANCE)


def runner_of(path: Path) -> Callable[[np.ndarray], list[np.ndarray]]:
    """A function from what a file is given to boxes, scores, labels and indices."""
    if path.suffix == FORMATS['onnx']:
        import onnxruntime
        session = onnxruntime.InferenceSession(
            str(path), providers=['CPUExecutionProvider'])
        return lambda inputs: session.run(None, dict(image=inputs))
    if path.suffix == FORMATS['openvino']:
        network = Detector(path).network
        return lambda inputs: list(network(inputs).values())
    module = torch.export.load(path).module()
    return lambda inputs: [part.numpy() for part in module(torch.from_numpy(inputs))]


def prepared(detector: Detector, graph: GraphDetector, image: np.ndarray
             ) -> tuple[np.ndarray, list[np.ndarray]]:
    """What goes into the file, and what the checkpoint detects, in its pixels."""
    with torch.inference_mode():
        if graph.resize is not None:  # by the graph itself, which rounds otherwise
            found = graph(torch.from_numpy(image[None]))
            return image[None], [part.numpy() for part in found[:3]]
        sample = detector.prepare(image)
        data = detector.model.data_preprocessor(pseudo_collate([sample]))
        found, = detector.model.predict(
            data['inputs'], data['data_samples'], rescale=False)
    return sample['inputs'][None].float().numpy(), [
        found.pred_instances[name].numpy() for name in ('bboxes', 'scores', 'labels')]

"""``frcnn export``: write a trained detector as one file for other programs."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from rich.console import Console
from rich.table import Table

from ..errors import UserError
from ..export import GraphDetector, export_graph, save_onnx
from ..inference import Detector
from .detect import find_inputs
from .parser import parse

SUFFIX = {'onnx': '.onnx', 'torch-export': '.pt2'}
NEEDED = ('onnx', 'onnxscript', 'onnxruntime')
TOLERANCE = 1e-3  # pixels, and score


def export(argv: list[str] | None = None) -> int:
    """Run ``frcnn export``; 1 if the file was compared and the results differ."""
    args = parse('export', argv)
    lacking = [name for name in NEEDED if find_spec(name) is None]
    if args.to == 'onnx' and lacking:
        raise UserError(f'--to onnx: {", ".join(lacking)} is not installed (pip '
                        f'install {" ".join(lacking)})')
    out = args.out or Path(args.checkpoint).with_suffix(SUFFIX[args.to])
    if out.suffix != SUFFIX[args.to]:
        raise UserError(f'--out {out}: a file of --to {args.to} ends with '
                        f'{SUFFIX[args.to]}')
    images = [image for text in args.check or () for image in find_inputs(text)]
    detector = Detector(args.checkpoint, args.config, device='cpu', fast=False)
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        graph = GraphDetector(detector.model)
    except TypeError as error:
        raise UserError(f'{args.checkpoint}: cannot be exported: {error}') from error
    print('exporting, which takes a minute or two', flush=True)
    if args.to == 'onnx':
        save_onnx(graph, out, dict(
            classes=detector.classes, input='BGR, 0 to 255, resized',
            resize=resizing(detector)))
    else:
        torch.export.save(export_graph(graph), out)
    print(f'{out}: {out.stat().st_size / 1e6:.1f} MB, for pictures of any size')
    return compare(out, detector, images) if images else 0


def resizing(detector: Detector) -> dict:
    """How pictures are resized before inference, by the settings of the pipeline."""
    for step in detector.pipeline.transforms:
        if 'Resize' in type(step).__name__:
            return dict(scale=step.scale, scale_factor=getattr(
                step, 'scale_factor', None), keep_ratio=step.keep_ratio)
    return {}


def compare(path: Path, detector: Detector, images: list[Path]) -> int:
    """Print what the file and the checkpoint detect; 1 if they differ."""
    run = runner_of(path)
    table = Table('image', 'detections', 'boxes, pixels', 'scores', 'labels',
                  title='Largest difference from the checkpoint')
    worst = 0.0
    for image in images:
        inputs, expected = prepared(detector, image)
        found = run(inputs)
        if len(found[1]) != len(expected[1]):
            row = ['differ in number', '', '']
            worst = float('inf')
        else:
            differences = [float(np.abs(a.astype(float) - b).max(initial=0))
                           for a, b in zip(found, expected, strict=True)]
            row = [f'{value:.1e}' for value in differences]
            worst = max(worst, *differences)
        table.add_row(image.name, f'{len(found[1])} of {len(expected[1])}', *row)
    Console().print(table)
    if worst > TOLERANCE:
        print(f'they differ by more than {TOLERANCE}')
    return int(worst > TOLERANCE)


def runner_of(path: Path):
    """A function from an array (1, 3, H, W) to boxes, scores and labels."""
    if path.suffix == SUFFIX['onnx']:
        import onnxruntime
        session = onnxruntime.InferenceSession(
            str(path), providers=['CPUExecutionProvider'])
        return lambda inputs: session.run(None, dict(image=inputs))
    module = torch.export.load(path).module()
    return lambda inputs: [part.numpy() for part in module(torch.from_numpy(inputs))]


def prepared(detector: Detector, image: Path) -> tuple[np.ndarray, list[np.ndarray]]:
    """What goes into the file, and what the checkpoint detects, in its pixels."""
    sample = detector.prepare(image)
    with torch.inference_mode():
        data = detector.model.data_preprocessor(pseudo_collate([sample]))
        found, = detector.model.predict(
            data['inputs'], data['data_samples'], rescale=False)
    return sample['inputs'][None].float().numpy(), [
        found.pred_instances[name].numpy() for name in ('bboxes', 'scores', 'labels')]

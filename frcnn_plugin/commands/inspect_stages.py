"""``frcnn inspect-stages``: what happens to one picture, stage by stage."""

import argparse
from pathlib import Path

import mmcv
import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmengine.structures import InstanceData
from rich.console import Console
from rich.table import Table

from ..datasets.orientation import read_size
from ..datasets.voc_annotation import read_voc_annotation
from ..errors import UserError
from ..inference import Detector
from ..inference.detector import is_runtime_file
from ..inference.images import read_image
from ..io.whole_files import write_whole
from ..mmdet_bridge.lists import pack_ground_truth
from ..report.crops import data_url
from ..report.page import render
from ..structures import GroundTruth
from ..visualization.stage_pictures import draw_stages
from ..visualization.stages import Stage, describe, run_stages
from .chosen_detector import scores_to_cut_at
from .parser import parse


def inspect_stages(argv: list[str] | None = None) -> None:
    """Run ``frcnn inspect-stages``."""
    args = parse('inspect_stages', argv)
    config, checkpoint = args.config, args.checkpoint
    if Path(checkpoint).suffix in ('', '.py'):  # it is a config, by its path or name
        config, checkpoint = config or checkpoint, None
    if is_runtime_file(checkpoint):
        raise UserError(f'{checkpoint}: an exported file shows no stages; give its '
                        'checkpoint')
    torch.manual_seed(0)
    detector = Detector(checkpoint, config, 'cpu', args.classes, fast=False)
    sample = detector.prepare(read_image(args.image))
    meta = sample['data_samples'].metainfo
    gt = ground_truth(args, detector.classes, meta)
    data = detector.model.data_preprocessor(pseudo_collate([sample]))
    torch.manual_seed(0)  # of the samplers
    stages = run_stages(detector.model, data['inputs'], meta['img_shape'][:2], gt,
                        args.region)
    picture = np.ascontiguousarray(sample['inputs'].permute(1, 2, 0).flip(2).numpy())
    draw_stages(stages, picture, detector.model, detector.classes,
                scores_to_cut_at(detector, args.score_thr)[0])
    table = Table('stage', 'tensor', 'shape', 'type', 'range')
    for stage in stages.values():
        for number, (name, tensor) in enumerate(stage.tensors.items()):
            table.add_row('' if number else stage.title, name, *describe(tensor))
    Console().print(table)
    weights = Path(checkpoint).name if checkpoint else 'random weights'
    write(stages, args, weights,
          anchor_rows(detector.model.rpn_head.prior_generator, stages))
    print(f'{args.out}/stages.html')


def ground_truth(args: argparse.Namespace, classes: tuple[str, ...],
                 meta: dict) -> GroundTruth | None:
    """What is annotated, in pixels of the network's input; None if there is nothing."""
    name = args.image.with_suffix('.xml').name
    usual = (args.image.parent / name, args.image.parent.parent / 'Annotations' / name)
    path = args.annotation or next(filter(Path.is_file, usual), None)
    if path is None:
        return None
    objects = [each for each in read_voc_annotation(path, read_size(args.image)).objects
               if each.name in classes and not each.difficult]
    if not objects:
        return None
    boxes = torch.tensor([each.bbox for each in objects])
    return pack_ground_truth([InstanceData(
        bboxes=boxes * torch.tensor(meta['scale_factor']).repeat(2),
        labels=torch.tensor([classes.index(each.name) for each in objects]))])


def anchor_rows(generator, stages: dict[str, Stage]) -> list[tuple]:
    """(level, width and height, number, inside) of each shape of anchors."""
    rows, start = [], 0
    inside = stages['anchors'].tensors['inside']
    for level, (base, feature) in enumerate(zip(
            generator.base_anchors, stages['features'].tensors.values(), strict=True)):
        positions = feature.size(2) * feature.size(3)
        part = inside[start:start + positions * len(base)].view(positions, len(base))
        start += positions * len(base)
        for box, count in zip(base, part.sum(0).tolist(), strict=True):
            width, height = (box[2:] - box[:2]).tolist()
            rows.append((level, f'{width:.0f} x {height:.0f}', positions, count))
    return rows


def write(stages: dict[str, Stage], args: argparse.Namespace, weights: str,
          anchors: list[tuple]) -> None:
    """Write the pictures, never over the one that is looked at, and their page."""
    shown = []
    for number, stage in enumerate(stages.values(), 1):
        pictures = []
        for index, (what, picture) in enumerate(stage.pictures.items()):
            name = f'{number:02d}_{stage.name}' + (f'_{index + 1}' if index else '')
            path = args.out / f'{name}.jpg'
            if path.resolve() == args.image.resolve():
                raise UserError(f'{path}: the picture itself would be written over; '
                                'give another --out')
            mmcv.imwrite(picture[..., ::-1], str(path))
            pictures.append(dict(what=what, data=data_url(picture[..., ::-1])))
        shown.append(dict(
            number=number, title=stage.title, text=stage.text, pictures=pictures,
            anchors=anchors if stage.name == 'anchors' else [], tensors=[
                (name, *describe(tensor)) for name, tensor in stage.tensors.items()]))
    write_whole(args.out / 'stages.html', render(
        'stages.html.j2', title=args.image.name, subtitle=weights,
        stages=shown).encode('utf-8', 'backslashreplace'))

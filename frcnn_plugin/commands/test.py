"""``frcnn test``: measure a trained detector."""

import argparse
import json
from itertools import chain
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.runner import Runner
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..accelerate.precision import check_mixed_precision
from ..config import changes, testing
from ..engine.frozen_phase_hook import model_of
from ..engine.run_record_hook import KEY as RUN
from ..errors import UserError
from ..evaluation.operating_points import KEY
from ..evaluation.proposal_recall import recall_name
from ..evaluation.summary import summarize
from ..inference.carried_config import class_names, config_of_checkpoint
from ..inference.detector import is_runtime_file, notes_of
from ..io.checkpoints import check_fit, read_checkpoint
from ..io.large_image import allow_large_pictures
from ..registry import explain_config
from . import machine
from .common import check_order_of_classes, command_line, read_config
from .out_of_space import explain_full_disk, explain_out_of_memory
from .parser import parse

RECALL_AT = (50, 300, 2000)  # proposals
OWN_FOLDER = 'frcnn_r18_c4_bccd'  # the config whose data set and metric suit any folder


def take_detector(args: argparse.Namespace) -> Config | None:
    """The config that a checkpoint named alone carries: of its model and pipeline.

    It is measured as a detector of one's own folder.
    """
    file = args.config
    if args.checkpoint is not None or not file.endswith('.pth'):
        return None
    meta = read_checkpoint(file).get('meta') or {}
    carried = config_of_checkpoint(file, meta, None)
    args.config, args.checkpoint = OWN_FOLDER, file
    args.work_dir = args.work_dir or str(Path(file).parent)
    args.classes = args.classes or list(class_names(meta, carried))
    return carried


def take_file(args: argparse.Namespace) -> str | None:
    """The exported detector that the arguments name, if it is not a checkpoint.

    Without a config it is measured as a detector of one's own folder.
    """
    file = args.checkpoint or args.config
    if not is_runtime_file(file):
        return None
    if args.recall or args.tta:
        raise UserError(f'{file}: --recall and --tta need the checkpoint')
    if args.checkpoint is None:
        args.config = OWN_FOLDER
        args.work_dir = args.work_dir or str(Path('work_dirs') / Path(file).stem)
    args.classes = args.classes or notes_of(file)['classes']
    args.checkpoint = None
    return file


def configure(args: argparse.Namespace, file: str | None = None,
              carried: Config | None = None) -> Config:
    """The config with everything that the command line says."""
    if args.amp and not file:
        check_mixed_precision('cuda' if torch.cuda.is_available() else 'cpu')
    cfg = read_config(args, ('model', 'test_dataloader', 'test_cfg'))
    cfg.launcher = args.launcher
    distributed = args.launcher != 'none'
    if args.tiles and (args.recall or args.tta):
        raise UserError('--recall and --tta are not measured in tiles')
    known = (notes_of(file) if file else carried or cfg).get('tiles')
    if args.tiles is None and known:
        if args.recall or args.tta:
            raise UserError(f'it was trained on tiles of {known} pixels: --recall and '
                            '--tta, which look at whole pictures, need --tiles 0')
        args.tiles = known
        machine.print_on_master(f'in tiles of {known} pixels, as it was trained on')

    def use_tiles(cfg: Config, size: int) -> None:
        testing.use_tiles(cfg, size, args.overlap)

    if carried:
        testing.use_detector(cfg, carried)
    changes.apply(cfg, [
        (testing.set_split, args.split),
        (testing.show_pictures, args.show_dir or None),
        (testing.measure_recall, args.recall and RECALL_AT),
        (testing.use_tta, args.tta),
        (testing.use_file, file),
        (use_tiles, args.tiles or None),
        (testing.use_amp, args.amp),
        (testing.dump_detections, args.out or None),
        (testing.only_test, True),
        (changes.follow_no_more, True),
        (changes.distribute_on_cpu, distributed and not torch.cuda.is_available()),
    ])
    return cfg


def print_recall(metrics: dict[str, float]) -> None:
    """Print the recall of the proposals by their number."""
    plain = {name.split('/', 1)[-1]: value for name, value in metrics.items()}
    table = Table('proposals', 'recall, IoU 0.5', 'recall, IoU 0.7',
                  title=f'Recall; {plain["per_image"]:.0f} proposals per image')
    for num in RECALL_AT:
        table.add_row(str(num), *(f'{plain[recall_name(iou_thr, num)]:.3f}'
                                  for iou_thr in (0.5, 0.7)))
    Console().print(table)


def print_table(summary: dict) -> None:
    """Print the AP of each class, the means and their intervals."""
    columns = {name: summary[f'{name}_per_class'] for name in ('AP', 'AP75')
               if summary[name] is not None}
    titles = list(columns)
    if summary['per_class'] != summary['AP_per_class']:
        columns = dict(mAP=summary['per_class'], **columns)
        titles.insert(0, 'AP50 (VOC)' if summary['mAP'] == summary['AP50'] else 'VOC')
    table = Table('class', *titles, title='Average precision')
    for label in dict.fromkeys(chain(*columns.values())):
        table.add_row(escape(label), *(
            score(values.get(label)) for values in columns.values()))
    table.add_section()
    table.add_row('mean', *(score(summary[name]) for name in columns))
    if intervals := summary['intervals']:
        table.add_row('95 % interval', *(
            ' to '.join(map(score, intervals.get(name, []))) for name in columns))
    Console().print(table)


def score(value: float | None) -> str:
    """A value from 0 to 1, if it was measured."""
    return '' if value is None else f'{value:.3f}'


def test(argv: list[str] | None = None) -> dict:
    """Run ``frcnn test``; returns what it wrote into ``metrics.json``."""
    args = parse('test', argv)
    allow_large_pictures()
    carried, file = take_detector(args), take_file(args)
    if args.checkpoint is None and not args.recall and not file:
        raise UserError('the checkpoint is missing: frcnn test CONFIG CHECKPOINT')
    content = read_checkpoint(args.checkpoint) if args.checkpoint else {}
    state = content.get('state_dict')
    notes = notes_of(file) if file else content.get('meta') or {}
    cfg = configure(args, file, carried)
    if not args.recall:
        check_order_of_classes(cfg, 'test_dataloader', notes, args.checkpoint)
    if args.recall and state is None and cfg.model.get('rpn_head'):
        raise UserError('--recall: the proposals of an RPN need its checkpoint')
    machine.join_group(args.launcher)
    with (explain_config(), explain_full_disk(cfg.work_dir),
          explain_out_of_memory(cfg, 'test_dataloader')):
        runner = Runner.from_cfg(cfg)
        if state is not None:
            model = model_of(runner)
            model = model.module if args.tta or args.tiles else model
            check_fit(model, state, args.checkpoint,
                      ignore=('roi_head.',) if args.recall else ())
            model.load_state_dict(state, strict=False)
            del model
        runner.message_hub.update_info(KEY, notes.get(KEY), resumed=False)
        metrics = runner.test()
        del runner
    summary = dict(recall=metrics) if args.recall else summarize(metrics) | dict(
        command=command_line('test', argv), training=notes.get(RUN))
    if is_main_process():
        name = 'proposal_recall.json' if args.recall else 'metrics.json'
        path = Path(cfg.work_dir) / name
        path.write_text(json.dumps(summary, indent=2) + '\n')
        if args.recall:
            print_recall(metrics)
            print(f'written to {path}')
        else:
            print_table(summary)
            mean = 'none' if summary['mAP'] is None else f'{summary["mAP"]:.4f}'
            print(f'mAP {mean}  written to {path}')
    machine.leave_group(args.launcher)
    return summary

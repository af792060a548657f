"""``tools/test.py``: measure a trained detector."""

import argparse
import json
from pathlib import Path

from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.runner import Runner
from rich.console import Console
from rich.table import Table

from ..engine.frozen_phase_hook import model_of
from ..errors import UserError
from ..evaluation.proposal_recall import recall_name
from ..evaluation.voc_metric import PER_CLASS
from ..io.checkpoints import check_fit, read_checkpoint
from . import machine, overrides
from .common import add_common_options, parse
from .explain_config import explain_config
from .full_disk import explain_full_disk
from .memory import explain_out_of_memory
from .tta import set_tta

RECALL_AT = (50, 300, 2000)  # proposals


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Test a detector: AP of each class, and the mean.')
    parser.add_argument('config', help='the config that it was trained with')
    parser.add_argument('checkpoint', nargs='?',
                        help='a .pth file from its work dir')
    add_common_options(parser)
    parser.add_argument('--split', metavar='NAME',
                        help="split file to test on; default: the config's")
    parser.add_argument('--out', metavar='FILE',
                        help='write all detections to this .pkl file')
    parser.add_argument('--show-dir', metavar='DIR',
                        help='draw ground truth and detections into this folder')
    parser.add_argument('--recall', action='store_true',
                        help='measure the recall of the proposals, not the detections')
    parser.add_argument('--tta', action='store_true',
                        help='test-time augmentation: detect in the mirrored image '
                        "too, or as the config's tta_pipeline says")
    args = parse(parser, argv)
    if args.tta and args.recall:
        parser.error('--tta and --recall do not go together')
    if args.checkpoint is None and not args.recall:
        parser.error('the following arguments are required: checkpoint')
    return args


def configure(args: argparse.Namespace) -> Config:
    """The config with everything that the command line says.

    Raises:
        UserError: If the two do not fit together.
    """
    cfg = overrides.config_of(args, ('model', 'test_dataloader', 'test_cfg'))
    if args.split:
        overrides.set_split(cfg, args.split)
    if args.show_dir:
        hook = cfg.default_hooks.setdefault('visualization', dict(type='PicturesHook'))
        hook.update(draw=True, test_out_dir=str(Path(args.show_dir).absolute()))
    if args.recall:
        measure_recall(cfg)
    if args.tta:
        set_tta(cfg)
    if args.out:
        if not args.out.endswith(('.pkl', '.pickle')):
            raise UserError(f'--out {args.out}: mmdet writes detections as .pkl')
        evaluators = cfg.test_evaluator
        evaluators = evaluators if isinstance(evaluators, list) else [evaluators]
        cfg.test_evaluator = [
            *evaluators, dict(type='DumpDetResults', out_file_path=args.out)]
    # the checkpoint is loaded here, where it must fit; training is not set up at all
    cfg.load_from, cfg.resume = None, False
    for name in ('train_dataloader', 'train_cfg', 'optim_wrapper', 'param_scheduler',
                 'val_dataloader', 'val_cfg', 'val_evaluator'):
        cfg.pop(name, None)
    return cfg


def measure_recall(cfg: Config) -> None:
    """Leave the second stage out, and measure what the first one proposes."""
    cfg.model.roi_head = None
    rpn = cfg.model.get('rpn_head')
    if rpn and rpn.get('proposal_creator'):
        most = max(RECALL_AT)
        rpn.proposal_creator.test = dict(nms_pre=6 * most, max_per_img=most)
    cfg.test_evaluator = dict(type='ProposalRecall', nums=RECALL_AT)
    cfg.default_hooks.pop('report', None)  # proposals are of no class


def print_recall(metrics: dict[str, float]) -> None:
    """Print the recall of the proposals by their number."""
    plain = {name.split('/', 1)[-1]: value for name, value in metrics.items()}
    table = Table('proposals', 'recall, IoU 0.5', 'recall, IoU 0.7',
                  title=f'Recall; {plain["per_image"]:.0f} proposals an image')
    for num in RECALL_AT:
        table.add_row(str(num), f'{plain[recall_name(0.5, num)]:.3f}',
                      f'{plain[recall_name(0.7, num)]:.3f}')
    Console().print(table)


def summarize(metrics: dict[str, float]) -> dict:
    """What goes into ``metrics.json``.

    Args:
        metrics: As the evaluator returns them, each with its metric's prefix.

    Returns:
        dict: ``mAP``, ``AP50``, ``per_class`` and under ``all`` everything.
    """
    plain = {name.split('/', 1)[-1]: float(value) for name, value in metrics.items()}
    mean = plain.get('mAP', plain.get('bbox_mAP'))
    per_class = {}
    for name, value in plain.items():
        if name.startswith(PER_CLASS):
            per_class[name.removeprefix(PER_CLASS)] = value
        elif name.endswith('_precision'):  # of CocoMetric(classwise=True)
            per_class[name.removesuffix('_precision')] = value
    return dict(
        mAP=mean, AP50=plain.get('AP50', plain.get('bbox_mAP_50', mean)),
        per_class=per_class,
        all={name: float(value) for name, value in metrics.items()})


def print_table(summary: dict) -> None:
    """Print the AP of each class, and the mean."""
    table = Table('class', 'AP', title='Average precision')
    for name, value in summary['per_class'].items():
        table.add_row(name, f'{value:.3f}')
    table.add_section()
    table.add_row('mAP', 'none' if summary['mAP'] is None else f'{summary["mAP"]:.3f}')
    Console().print(table)


def test(argv: list[str] | None = None) -> dict:
    """Run the command.

    Args:
        argv: Its arguments. Default: those of the process.

    Returns:
        dict: What was written into ``metrics.json``.

    Raises:
        UserError: If something is wrong that the user can mend.
    """
    args = parse_args(argv)
    state = None
    if args.checkpoint:
        state = read_checkpoint(args.checkpoint)['state_dict']
    cfg = configure(args)
    if state is None and cfg.model.get('rpn_head'):
        raise UserError('--recall: the proposals of an RPN need its checkpoint')
    machine.set_launcher(cfg, args.launcher)
    with (explain_config(), explain_full_disk(cfg.work_dir),
          explain_out_of_memory(cfg, 'test_dataloader')):
        runner = Runner.from_cfg(cfg)
        if state is not None:
            left_out = ('roi_head.',) if args.recall else ()
            model = model_of(runner)
            model = model.module if args.tta else model
            check_fit(model, state, args.checkpoint, ignore=left_out)
            model.load_state_dict(state, strict=False)
            del model
        metrics = runner.test()
        del runner
    summary = dict(recall=metrics) if args.recall else summarize(metrics)
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

"""Can every config learn? Each one is trained from scratch on four generated images.

    python tools/overfit.py [CONFIG ...] [--write docs/results.md]

The components are those of the config, but the images are about a quarter of the usual
size, and anchors and the smallest proposal shrink with them; there are fewer proposals
and sampled regions, and the schedule is short. A detector that works finds the boxes of
these four images, with an AP50 of at least 0.95. Ends with status 1 if one does not.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from markdown_table import write_table
from mmengine.config import Config
from mmengine.runner import Runner
from rich.console import Console
from rich.table import Table
from samples import as_coco

import frcnn_plugin  # noqa: F401 - registers everything
from frcnn_plugin.commands.make_proposals import make_proposals
from frcnn_plugin.config.changes import set_classes
from frcnn_plugin.config.initialisation import train_from_scratch
from frcnn_plugin.config.parts import datasets_of, nested_dicts
from frcnn_plugin.datasets import VOCFolder
from frcnn_plugin.prepare.make_shapes import make_shapes
from frcnn_plugin.prepare.shapes import CLASSES

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / 'work_dirs' / 'overfit'
WANTED = 0.95
SCALE = 0.75  # of the images, where the config resizes its own
STEPS = 500  # at most; it is looked at after every 25
BEGIN = 75  # the first look
SETTLE = 250  # the learning rate falls from here on
LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('configs', nargs='*', metavar='CONFIG',
                        help='default: all of configs/')
    parser.add_argument('--write', type=Path, metavar='FILE',
                        help='replace the table in this document')
    parser.add_argument('--resume', action='store_true',
                        help='keep the results of an earlier call')
    parser.add_argument('--jobs', type=int, default=1, metavar='N',
                        help='configs to train at the same time '
                        '(default: %(default)s)')
    parser.add_argument('--steps', type=int, default=STEPS, metavar='N',
                        help='steps of training at most (default: %(default)s)')
    parser.add_argument('--work-dir', type=Path, default=WORK, metavar='DIR',
                        help='folder of data and results (default: %(default)s)')
    parser.add_argument('--one', type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        overfit(args.one, args.work_dir, args.steps)
        return 0
    configs = [Path(path) for path in args.configs] or sorted(
        (ROOT / 'configs').glob('*.py'))
    make_data(args.work_dir / 'data')
    threads = max(1, (os.cpu_count() or 1) // args.jobs)
    with ThreadPoolExecutor(args.jobs) as pool:
        rows = list(pool.map(
            lambda config: run(config, args, threads), configs))
    report(rows, args.write)
    return int(any(row['AP50'] < WANTED for row in rows))


def make_data(root: Path) -> None:
    """Four images, their annotations in both layouts, and their proposals."""
    if not make_shapes(root, dict(train=4), seed=2):
        return
    data = VOCFolder(str(root), split='train', metainfo=dict(classes=CLASSES),
                     allow_missing_classes=True)
    (root / 'coco.json').write_text(json.dumps(as_coco(data)))
    make_proposals(['--data-root', str(root), '--split', 'train', '--overwrite',
                    '--workers', '1',  # others start up for longer than they search
                    '--out', str(root / 'selective_search_train.npz')])


def run(config: Path, args: argparse.Namespace, threads: int) -> dict:
    """Train one config in a process of its own, and tell of its progress."""
    name, work_dir = config.stem, args.work_dir / config.stem
    result = work_dir / 'result.json'
    if args.resume and result.is_file():
        return dict(json.loads(result.read_text()), name=name)
    print(f'{name}: begins', flush=True)
    work_dir.mkdir(parents=True, exist_ok=True)
    result.unlink(missing_ok=True)
    with (work_dir / 'output.txt').open('w') as output, subprocess.Popen(
            [sys.executable, __file__, '--one', config, '--steps', str(args.steps),
             '--work-dir', args.work_dir], text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(os.environ, OMP_NUM_THREADS=str(threads))) as process:
        for line in process.stdout:
            output.write(line)
            found = re.search(r'Iter\(train\) \[.*?\].*?(?:eta: \S+)|of 4: .*', line)
            if found:
                print(f'{name}: {found[0]}', flush=True)
    if process.returncode:
        print(f'{name}: training failed, see {work_dir / "output.txt"}', flush=True)
        return dict(name=name, AP50=0.0, steps=0)
    found = json.loads(result.read_text())
    print(f'{name}: AP50 {found["AP50"]:.3f} after {found["steps"]} steps', flush=True)
    return dict(found, name=name)


def overfit(config: Path, work_dir: Path, steps: int) -> None:
    """Train one config, test it on what it was trained on, and write both down."""
    cfg = shrink(Config.fromfile(config), work_dir / 'data', steps)
    cfg.work_dir = str(work_dir / config.stem)
    runner = Runner.from_cfg(cfg)
    runner.model.to(memory_format=torch.channels_last)  # the same, and faster on a CPU
    runner.train()
    metrics = {name.split('/')[-1]: value for name, value in runner.test().items()}
    (Path(cfg.work_dir) / 'result.json').write_text(json.dumps(dict(
        AP50=metrics.get('AP50', metrics.get('bbox_mAP_50')), steps=runner.iter)))


def shrink(cfg: Config, data: Path, steps: int) -> Config:
    """Small images, few regions, a short schedule, no pretrained weights."""
    train_from_scratch(cfg)
    set_classes(cfg, list(CLASSES))
    # by how much the objects are smaller than those that the anchors are for; where no
    # anchor is forced to be an object, every box needs one with an IoU of 0.6
    small = 'fpn_cls' in cfg.filename  # made for 224x224 pixels
    factor = 2 if small else 1 if 'shapes' in cfg.filename else 4
    scale = 1.0 if small else SCALE
    resized = shrink_data(cfg, str(data), scale)
    shrink_model(cfg.model, factor / scale if resized else factor)
    shrink_schedule(cfg, steps)
    return cfg


def shrink_model(model, factor: float) -> None:
    """Anchors and smallest boxes divided by a factor, and fewer regions."""
    if model.get('rpn_head'):
        rpn = model.rpn_head
        if 'base_sizes' in rpn.anchor_generator:
            rpn.anchor_generator.base_sizes = [
                size / factor for size in rpn.anchor_generator.base_sizes]
        else:
            rpn.anchor_generator.scales = [
                scale / factor for scale in rpn.anchor_generator.scales]
        limits = dict(nms_pre=600, max_per_img=40)
        rpn.proposal_creator.update(train=dict(limits), test=dict(limits))
        rpn.proposal_creator.min_bbox_size /= factor
    model.data_preprocessor.pad_size_divisor = 32
    roi = model.roi_head
    roi.target_sampler.num = 4
    if 'finest_scale' in roi.bbox_roi_extractor:
        roi.bbox_roi_extractor.finest_scale /= factor
    if roi.bbox_roi_extractor.featmap_strides == [1]:  # warped regions
        roi.bbox_roi_extractor.roi_layer.output_size = 64


def shrink_data(cfg: Config, root: str, scale: float) -> bool:
    """The four images, all in one batch; whether the config resizes its images."""
    resized = False
    for dataset in datasets_of(cfg):
        dataset.data_root = root
        if 'ann_file' in dataset:
            dataset.update(ann_file='coco.json', data_prefix=dict(img='JPEGImages/'))
        else:
            dataset.update(split='train', folders=None, allow_missing_classes=True)
        dataset.filter_cfg = None
        for transforms in (node for node in nested_dicts(dict(a=dataset.pipeline))
                           if node.get('type') in ('Resize', 'RandomFlip')):
            if transforms['type'] == 'RandomFlip':
                transforms.update(prob=0.0, direction='horizontal')
            elif transforms.pop('scale', None):
                transforms.pop('keep_ratio', None)
                transforms['scale_factor'], resized = scale, True
        dataset.pipeline = [step for step in dataset.pipeline
                            if step.type != 'PhotoMetricDistortion']
    for name in LOADERS:
        cfg[name].update(batch_size=4, num_workers=0, persistent_workers=False,
                         batch_sampler=None)
    for name in ('val_evaluator', 'test_evaluator'):
        if 'ann_file' in cfg[name]:
            cfg[name].ann_file = f'{root}/coco.json'
    return resized


def shrink_schedule(cfg: Config, steps: int) -> None:
    """AdamW until all is learnt, or for so many steps."""
    vgg = 'vgg16' in cfg.filename  # without batch normalisation
    cfg.optim_wrapper = dict(
        type='OptimWrapper', clip_grad=dict(max_norm=10),
        optimizer=dict(type='AdamW', fused=True, weight_decay=1e-4,
                       lr=2e-4 if vgg else 5e-4))
    cfg.param_scheduler = [
        dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=30)]
    if steps > SETTLE:  # what normalises by running averages needs it
        cfg.param_scheduler.append(dict(
            type='CosineAnnealingLR', by_epoch=False, eta_min_ratio=0.05, begin=SETTLE,
            end=steps))
    if 'steps' in cfg.train_cfg:
        cfg.train_cfg.update(steps=[70, 200, 150, 200], val_interval=10**6)
        cfg.param_scheduler = [  # in each step; a scheduler without end ends with it
            dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=10),
            dict(type='CosineAnnealingLR', by_epoch=False, eta_min_ratio=0.05)]
    else:
        cfg.train_cfg.update(
            max_iters=steps, val_interval=25, val_begin=min(BEGIN, steps))
        coco = 'ann_file' in cfg.val_evaluator
        cfg.default_hooks.early_stopping = dict(
            type='EarlyStoppingHook', rule='greater', patience=10**6,
            monitor='coco/bbox_mAP_50' if coco else 'pascal_voc/mAP',
            stopping_threshold=WANTED)
    for hook in cfg.get('custom_hooks', []):
        if hook.type == 'FrozenPhaseHook':
            hook.until = 25
    cfg.default_hooks.checkpoint = dict(
        type='CheckpointHook', by_epoch=False, interval=10**6, save_last=False)
    cfg.default_hooks.logger.interval = 25
    cfg.default_hooks.pop('report', None)  # nobody reads the pages
    cfg.randomness = dict(seed=0)


def report(rows: list[dict], file: Path | None) -> None:
    """Print the table, and put it where it is wanted."""
    table = Table('config', 'steps', 'AP50', title='Four images, learnt by heart')
    cells = [(row['name'], str(row['steps']), f'{row["AP50"]:.3f}') for row in rows]
    for row in cells:
        table.add_row(*row)
    Console().print(table)
    if file:
        write_table(file, 'overfit', ('config', 'steps', 'AP50'),
                    [(f'`{name}.py`', *rest) for name, *rest in cells])


if __name__ == '__main__':
    sys.exit(main())

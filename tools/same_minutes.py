"""What the same minutes buy: ours, and what a user would pick instead.

    python tools/same_minutes.py FOLDER ... --work-dir DIR [--minutes 10] [--seeds 0]
        [--rivals ours yolo11n yolov8n torchvision mmdet]
        [--ultralytics PYTHON] [--write docs/recipe.md]

Each folder is prepared once. Then each detector is trained on its training pictures,
from random weights, one after another on the whole machine; whatever it has to choose
it chooses on the validation pictures. All are measured on the test pictures by one
evaluator, ``COCOeval``. Names such as ``no_flip`` are ours with a part of the recipe
taken out; on a GPU, ``ours_amp`` is ours in mixed precision. PYTHON is that of an
environment with ``pip install ultralytics``. What has been measured is kept in DIR, and
not run again.
"""

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from markdown_table import table_text, write_table

from frcnn_plugin.commands.prepare import classes_of
from frcnn_plugin.datasets import VOCFolder
from frcnn_plugin.evaluation.coco_evaluation import evaluate
from frcnn_plugin.prepare.prepare_folder import choose_splits, write_folder
from frcnn_plugin.prepare.understand import understand

SCRIPTS = Path(__file__).parent / 'rivals'
RIVALS = dict(ours=('ours.py', ''), ours_amp=('ours.py', '--amp'),
              yolo11n=('yolo.py', 'yolo11n'), yolov8n=('yolo.py', 'yolov8n'),
              torchvision=('torchvision_frcnn.py', ''), mmdet=('mmdet_frcnn.py', ''))
COLOURS = 'train_dataloader.dataset.pipeline.4'
PARTS = dict(  # of the recipe, each taken out
    float32='--no-amp',
    wide='--cfg-options model.backbone.depth=18',
    no_flip='--no-flip',
    one_size='--cfg-options model.data_preprocessor.batch_augments=None',
    no_colours=f'--cfg-options {COLOURS}.type=RandomFlip {COLOURS}.prob=0.0',
    no_average='--cfg-options custom_hooks=[]',
    usual_anchors='--cfg-options model.rpn_head.anchor_generator.scales=[2,4,8,16,32] '
    'model.rpn_head.anchor_generator.ratios=[0.5,1,2]')
RIVALS |= {name: ('ours.py', options) for name, options in PARTS.items()}
USUAL = ('ours', 'yolo11n', 'yolov8n', 'torchvision', 'mmdet')
HEAD = ('folder', 'detector', 'AP50', 'AP', 'minutes')
SPLITS = ('train', 'val', 'test')


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('folders', type=Path, nargs='+', metavar='FOLDER')
    parser.add_argument('--work-dir', type=Path, required=True, metavar='DIR')
    parser.add_argument('--minutes', type=float, default=10)
    parser.add_argument('--seeds', type=int, nargs='+', default=[0])
    parser.add_argument('--rivals', nargs='+', choices=RIVALS, default=USUAL)
    parser.add_argument('--ultralytics', default=sys.executable, metavar='PYTHON')
    parser.add_argument('--write', type=Path, metavar='FILE',
                        help='replace the table in this document')
    args = parser.parse_args()
    rows = []
    for folder in args.folders:
        data = data_of(folder, args.work_dir / folder.name)
        for rival in args.rivals:
            found = [measured(data, rival, args, args.work_dir / folder.name, seed)
                     for seed in args.seeds]
            rows.append((folder.name, rival, *summary(found)))
            print(table_text(HEAD, rows[-1:]).splitlines()[-1], flush=True)
    if args.write:
        write_table(args.write, 'same minutes', HEAD, rows)


def summary(found: list[dict]) -> Iterable[str]:
    """AP50, AP and minutes of one row: the median, and the worst of several seeds."""
    for name, digits in (('AP50', 3), ('AP', 3), ('minutes', 1)):
        values = [each[name] for each in found]
        worst = max(values) if name == 'minutes' else min(values)
        text = f'{statistics.median(values):.{digits}f}'
        yield text if len(values) == 1 else f'{text} ({worst:.{digits}f})'


def data_of(folder: Path, work_dir: Path) -> Path:
    """The folder in VOC layout, and a file that lists it for the scripts."""
    file = work_dir / 'data.json'
    source = str(folder.resolve())
    if file.is_file():
        if json.loads(file.read_text())['source'] != source:
            raise SystemExit(f'error: {file}: of another folder; choose another '
                             '--work-dir')
        return file
    found = understand(folder)
    splits = choose_splits(found, None, 0)
    classes = classes_of(splits)
    write_folder(found, splits, work_dir / 'data', False, {})
    content = dict(source=source, root=str((work_dir / 'data').absolute()),
                   classes=classes)
    for split in SPLITS:
        data = VOCFolder(str(work_dir / 'data'), split, test_mode=True,
                         metainfo=dict(classes=tuple(classes)))
        content[split] = [listed(data.get_data_info(index))
                          for index in range(len(data))]
    file.write_text(json.dumps(content))
    return file


def listed(info: dict) -> dict:
    """What the scripts are told about a picture; difficult boxes are ``ignored``."""
    easy = [each for each in info['instances'] if not each['ignore_flag']]
    return dict(image=str(Path(info['img_path']).resolve()), width=info['width'],
                height=info['height'], boxes=[each['bbox'] for each in easy],
                labels=[each['bbox_label'] for each in easy],
                ignored=[(each['bbox'], each['bbox_label']) for each in info[
                    'instances'] if each['ignore_flag']])


def measured(data: Path, rival: str, args: argparse.Namespace, work_dir: Path,
             seed: int) -> dict:
    """AP50, AP and minutes of one training."""
    script, model = RIVALS[rival]
    out = (work_dir / f'{rival}_{args.minutes:g}_{seed}.json').absolute()
    if not out.is_file():
        python = args.ultralytics if script == 'yolo.py' else sys.executable
        with out.with_suffix('.log').open('w') as log:
            subprocess.run(
                [python, str(SCRIPTS / script), str(data.absolute()), str(out),
                 '--minutes', str(args.minutes), '--seed', str(seed),
                 *([f'--model={model}'] if model else [])],
                check=True, stdout=log, stderr=subprocess.STDOUT)
    content, listing = json.loads(out.read_text()), json.loads(data.read_text())
    images = [
        (arrays(truth['boxes'], truth['labels']),
         arrays(*zip(*truth['ignored'], strict=True)) if truth['ignored'] else
         arrays([], []),
         (*arrays(found['boxes'], found['labels']), np.array(found['scores'])))
        for truth, found in zip(listing['test'], content['found'], strict=True)]
    stats = evaluate(images, len(listing['classes'])).stats
    return dict(AP=stats[0], AP50=stats[1], minutes=content['minutes'])


def arrays(boxes, labels) -> tuple[np.ndarray, np.ndarray]:
    """(n, 4) float boxes and (n,) int labels."""
    return (np.array(boxes, float).reshape(-1, 4), np.array(labels, int))


if __name__ == '__main__':
    main()

"""What each command of a page must have left behind, besides its status."""

import json
import math
import re
from pathlib import Path

import torch
from mmengine.config import Config

from frcnn_plugin.io.checkpoints import read_checkpoint

PICTURES = ('.jpg', '.png')


class Outcome:
    """A command, what it printed, and which files changed while it ran.

    Args:
        words: The arguments, from the name of the command on.
        before: :func:`snapshot` before it ran.
        said: What it printed.
        status: What it returned.
    """

    def __init__(self, words: list[str], before: dict[Path, int], said: str,
                 status: object) -> None:
        self.name, *self.words = words
        self.said, self.status = said, status
        self.changed = {path for path, time in snapshot().items()
                        if before.get(path) != time}

    def check(self) -> None:
        """Fail unless the command did what its options say."""
        assert self.status in ((0, 1) if self.name == 'check_dataset' else (0,))
        globals()[f'check_{self.name}'](self)

    def values(self, *options: str) -> list[str]:
        """The words after an option, up to the next one."""
        place = next((i for i, word in enumerate(self.words) if word in options), None)
        if place is None:
            return []
        rest = self.words[place + 1:]
        return rest[:next((i for i, word in enumerate(rest) if word.startswith('-')),
                          len(rest))]

    def value(self, *options: str, default: str = '') -> str:
        """The first of them."""
        return (self.values(*options) or [default])[0]

    @property
    def work_dir(self) -> Path:
        file = Path(self.words[0])
        return Path(self.value('--work-dir', default=(
            file.parent if file.suffix == '.pth' else f'work_dirs/{file.stem}')))

    def written(self, path: str | Path) -> Path:
        """The path of a file that was written now, and of which the command tells."""
        path = Path(path)
        assert path in self.changed, f'{path} was not written'
        assert str(path) in self.said.replace('\n', '') or str(path.parent) in self.said
        return path

    def pictures_in(self, folder: str | Path) -> set[str]:
        """The names of the pictures that were drawn now, without their endings."""
        return {path.stem for path in self.changed
                if path.suffix in PICTURES and path.parent == Path(folder)}


def snapshot() -> dict[Path, int]:
    """When each file below the current folder was last written."""
    return {path: path.stat().st_mtime_ns for path in Path().rglob('*')
            if path.is_file()}


def names_of(folder: Path, split: str) -> list[str]:
    return (folder / f'ImageSets/Main/{split}.txt').read_text().split()


def assert_voc_layout(folder: Path) -> None:
    """Every image of every split has its picture and its annotation."""
    splits = list((folder / 'ImageSets/Main').glob('*.txt'))
    assert splits
    for split in splits:
        names = names_of(folder, split.stem)
        assert names, split
        for name in names:
            assert list((folder / 'JPEGImages').glob(f'{name}.*')), name
            assert (folder / f'Annotations/{name}.xml').is_file(), name


def check_train(run: Outcome) -> None:
    if '--plan' in run.words:
        assert run.written(run.work_dir / 'recipe.py')
        return
    last = Path((run.work_dir / 'last_checkpoint').read_text())
    content = read_checkpoint(last)
    if Path(run.words[0]).is_dir():
        detector = read_checkpoint(run.written(run.work_dir / 'detector.pth'))
        # of the best validation, which may be the early one
        assert 0 < detector['meta']['iter'] <= content['meta']['iter']
        return
    assert content['meta']['iter'] == int(run.value('--max-iters'))
    if '--resume' not in run.words:  # the run before it had taken the step
        assert any(path.samefile(last) for path in run.changed)
        logs = [path for path in run.changed if path.name == 'scalars.json']
        rows = [json.loads(line) for path in logs
                for line in path.read_text().splitlines()]
        losses = [row['loss'] for row in rows if 'loss' in row]
        assert losses and all(map(math.isfinite, losses))
    if classes := run.values('--classes'):
        assert list(content['meta']['dataset_meta']['classes']) == classes
        assert len(content['state_dict']['roi_head.bbox_head.fc_cls.bias']) == (
            len(classes) + 1)
    if seed := run.value('--seed'):
        assert content['meta']['seed'] == int(seed)
    if '--tensorboard' in run.words:
        assert [path for path in run.changed if 'tfevents' in path.name]
    cfg = Config.fromfile(run.work_dir / f'{Path(run.words[0]).stem}.py')
    for option in run.values('--cfg-options'):
        key, value = option.split('=')
        found = cfg
        for part in key.split('.'):
            found = found[int(part) if part.isdigit() else part]
        assert str(found) == value or key in (  # set for a quick test
            'train_cfg.max_iters', 'train_dataloader.batch_size'), option


def check_test(run: Outcome) -> None:
    recall = '--recall' in run.words
    file = run.written(run.work_dir / (
        'proposal_recall.json' if recall else 'metrics.json'))
    summary = json.loads(file.read_text())
    if recall:
        values = [value for name, value in summary['recall'].items() if '@' in name]
        assert values and all(0 <= value <= 1 for value in values)
        return
    assert 0 <= summary['mAP'] <= 1 and f'{summary["mAP"]:.4f}' in run.said
    assert all(name in run.said for name in summary['per_class'])
    if classes := run.values('--classes'):
        assert set(summary['per_class']) <= set(classes)
    if folder := run.value('--show-dir'):
        assert run.pictures_in(folder)


def check_detect(run: Outcome) -> None:
    out = run.value('-o', '--out', default='detections')
    found = json.loads(run.written(f'{out}/detections.json').read_text())
    sources = [path for path in Path(run.words[0]).iterdir() if path.suffix in PICTURES]
    assert len(Path(f'{out}/detections.jsonl').read_text().splitlines()) == len(sources)
    drawn = set() if '--no-pictures' in run.words else {path.stem for path in sources}
    assert run.pictures_in(out) == drawn
    categories = {each['id'] for each in found['categories']}
    assert {each['category_id'] for each in found['annotations']} <= categories
    count = len(found['annotations'])
    assert f'{count} detections in {len(sources)} images' in run.said


def check_inspect_stages(run: Outcome) -> None:
    out = run.value('-o', '--out', default='stages')
    page = run.written(f'{out}/stages.html').read_text()
    assert page.count('<img') == len(run.pictures_in(out)) > 5


def check_browse_dataset(run: Outcome) -> None:
    out = run.value('-o', '--out', default='browse')
    drawn = len(run.pictures_in(out))
    assert 0 < drawn <= int(run.value('--number', default='16'))
    assert f'{out}: {drawn} of ' in run.said


def check_export(run: Outcome) -> None:
    run.written(run.value('-o', '--out'))
    for picture in run.values('--check'):
        assert all(path.name in run.said for path in Path().glob(picture))


def check_prepare(run: Outcome) -> None:
    if years := run.values('--voc'):
        folders = [Path(f'data/VOCdevkit/VOC{year}') for year in years]
    else:
        folders = [Path(run.value('-o', '--out'))]
        assert any(folders[0] in path.parents for path in run.changed)
    for folder in folders:
        assert str(folder) in run.said
        assert_voc_layout(folder)


def check_check_dataset(run: Outcome) -> None:
    images, boxes = re.search(r'(\d+) images, (\d+) boxes', run.said).groups()
    root = Path(run.words[0])
    splits = [path.stem for path in (root / 'ImageSets/Main').glob('*.txt')]
    names = {name for split in splits for name in names_of(root, split)}
    assert int(images) == len(names)
    assert int(boxes) > 0
    if target := run.value('--fix'):
        assert any(Path(target) in path.parents for path in run.changed)
        assert_voc_layout(Path(target))


def check_make_proposals(run: Outcome) -> None:
    root = Path(run.value('--data-root'))
    folders = [root / name for name in run.values('--folders')] or [root]
    images = sum(len(names_of(folder, split)) for folder in folders
                 for split in run.values('--split'))
    out = run.written(run.value('--out'))
    regions, count = re.search(rf'{out}: (\d+) regions of (\d+) images',
                               run.said).groups()
    assert int(count) == images and int(regions) >= images


def check_convert(run: Outcome) -> None:
    out = run.written(run.value('-o', '--out'))
    config = Config.fromfile(run.written(out.with_suffix('.py')))
    state = torch.load(out, weights_only=True)['state_dict']
    assert len(state['roi_head.bbox_head.fc_cls.bias']) == (
        config.model.roi_head.bbox_head.num_classes + 1)


def check_make_shapes(run: Outcome) -> None:
    assert_voc_layout(Path(run.value('--out', default='data/shapes')))

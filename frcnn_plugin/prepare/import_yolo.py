"""Reads a data set in the layout of YOLO, to be written in VOC's."""

import math
from collections.abc import Iterator
from pathlib import Path

import yaml

from ..datasets.problems import Problem
from ..datasets.voc_annotation import VOCObject
from ..datasets.voc_folder import image_size
from ..datasets.voc_layout import IMAGE_SUFFIXES
from ..errors import DataError
from .voc_writer import Picture, bbox_of_edges

SPLITS = ('train', 'val', 'test')
NAME_FILES = ('classes.txt', 'obj.names')


def import_yolo(root: Path) -> tuple[list[Picture], list[Problem]]:
    """The pictures of a folder, and what is wrong with boxes left out.

    Each line of ``labels/NAME.txt`` is ``class x y width height``, the centre and the
    size as shares of the image's; a polygon counts as the box around it.

    Args:
        root: With ``images`` and ``labels``, and the names of the classes in a
            ``.yaml`` (``names``, and ``train``, ``val``, ``test`` for the splits), in
            ``classes.txt`` or in ``obj.names``. Without splits in the YAML, folders
            ``images/train`` and so on are taken for them.

    Raises:
        DataError: If names, images or a label file are missing or broken.
    """
    if not (root / 'images').is_dir() and not list(root.glob('*/images')):
        raise DataError(f'{root}: no images/ in it; a data set of YOLO has images/, '
                        'labels/ and data.yaml or classes.txt')
    config = read_config(root)
    names = class_names(root, config)
    pictures, problems = [], []
    for split, image in dict.fromkeys(find_images(root, config)):
        width, height = image_size(image)
        labels = label_file(image)
        objects = []
        lines = read_lines(labels) if labels.is_file() else []
        for number, line in enumerate(lines, start=1):
            try:
                item = read_line(line, names, width, height)
            except ValueError as error:
                problems.append(Problem(labels, 'bad box', f'line {number}: {error}'))
            else:
                objects.append(item)
        pictures.append(Picture(image_name(root, image), image, width, height, objects,
                                split))
    return pictures, problems


def read_config(root: Path) -> dict:
    """The YAML file of the data set, or nothing."""
    for path in sorted([*root.glob('*.yaml'), *root.glob('*.yml')]):
        try:
            content = yaml.safe_load(path.read_text(encoding='utf-8'))
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            reason = ' '.join(str(error).split())
            raise DataError(f'{path}: not a readable YAML file ({reason})') from error
        if isinstance(content, dict) and 'names' in content:
            return content
    return {}


def class_names(root: Path, config: dict) -> dict[int, str]:
    """Names by number.

    Raises:
        DataError: If they are missing.
    """
    names = config.get('names')
    if isinstance(names, dict):
        return {int(key): str(name) for key, name in names.items()}
    if isinstance(names, list):
        return dict(enumerate(map(str, names)))
    for file in (folder / name for folder in (root, root / 'labels')
                 for name in NAME_FILES):
        if file.is_file():
            return dict(enumerate(line.strip() for line in read_lines(file)))
    raise DataError(f'{root}: the names of the classes are missing; put them into '
                    'data.yaml (names: [cat, dog]) or, one per line, into classes.txt')


def find_images(root: Path, config: dict) -> Iterator[tuple[str | None, Path]]:
    """Each image with its split.

    Raises:
        DataError: If there is no image.
    """
    named = {split: config[split] for split in SPLITS if config.get(split)}
    if not named:
        named = {split: [f'images/{split}', f'{split}/images'] for split in SPLITS}
    found = False
    for split, places in named.items():
        for place in [places] if isinstance(places, str) else places:
            for image in images_of(base_of(root, config), root, place):
                found = True
                yield split, image
    if not found:
        for image in sorted((root / 'images').rglob('*')):
            if image.suffix in IMAGE_SUFFIXES:
                found = True
                yield None, image
    if not found:
        raise DataError(f'{root}: no image in images/')


def base_of(root: Path, config: dict) -> Path:
    """Where the YAML's paths begin; the data set's folder, if it was moved."""
    base = Path(str(config.get('path') or '.'))
    base = base if base.is_absolute() else root / base
    return base if base.is_dir() else root


def images_of(base: Path, root: Path, place: str) -> list[Path]:
    """The images of a folder, or of a text file that lists them."""
    for path in (base / place, root / place, root / place.removeprefix('../')):
        if path.is_dir():
            return sorted(file for file in path.rglob('*')
                          if file.suffix in IMAGE_SUFFIXES)
        if path.is_file() and path.suffix == '.txt':
            return [path.parent / line.strip() for line in read_lines(path)]
    return []


def label_file(image: Path) -> Path:
    """``labels/NAME.txt`` for ``images/NAME.jpg``, as YOLO finds it."""
    parts = list(image.parts)
    for index in range(len(parts) - 1, -1, -1):
        if parts[index] == 'images':
            parts[index] = 'labels'
            break
    return Path(*parts).with_suffix('.txt')


def image_name(root: Path, image: Path) -> str:
    """Its name among all images: the path without ``images``."""
    path = image.resolve()
    if path.is_relative_to(root.resolve()):
        path = path.relative_to(root.resolve())
        parts = [part for part in path.with_suffix('').parts if part != 'images']
        return '/'.join(parts)
    return path.stem


def read_lines(path: Path) -> list[str]:
    """The lines of a text file that are not empty.

    Raises:
        DataError: If it is not text.
    """
    try:
        return [line for line in path.read_text(encoding='utf-8-sig').splitlines()
                if line.strip()]
    except UnicodeDecodeError as error:
        raise DataError(f'{path}: not a text file in UTF-8') from error


def read_line(line: str, names: dict[int, str], width: int, height: int) -> VOCObject:
    """One box; raises ValueError with what is wrong with it."""
    fields = line.split()
    try:
        numbers = [float(field) for field in fields]
    except ValueError:
        raise ValueError(f'{line.strip()!r} is not all numbers') from None
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f'{line.strip()!r} is not all finite numbers')
    if len(numbers) < 5 or (len(numbers) > 5 and len(numbers) % 2 == 0):
        raise ValueError(f'{line.strip()!r} has {len(numbers)} numbers, not class, x, '
                         'y, width, height')
    label = names.get(int(numbers[0])) if numbers[0] == int(numbers[0]) else None
    if label is None:
        raise ValueError(f'there is no class {fields[0]}, only 0 to {max(names)}')
    if len(numbers) == 5:
        x, y, w, h = numbers[1:]
        box = x - w / 2, y - h / 2, x + w / 2, y + h / 2
    else:
        box = (min(numbers[1::2]), min(numbers[2::2]),
               max(numbers[1::2]), max(numbers[2::2]))
    edges = (share * side for share, side in zip(
        box, (width, height, width, height), strict=True))
    return VOCObject(label, bbox_of_edges(edges, (width, height)))

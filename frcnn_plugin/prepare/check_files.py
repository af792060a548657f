"""Checks an image to its last pixel, and its annotation."""

from collections import Counter
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from ..datasets.orientation import PictureSize, is_lfs_pointer, size_of
from ..datasets.problems import Problem
from ..datasets.voc_annotation import VOCAnnotation, read_voc_annotation
from ..datasets.voc_layout import find_image
from ..errors import UserError

BITS = 258  # the tag of TIFF: bits of each channel
MODES = {  # of Pillow: the kind of problem, and what training makes of it
    'L': ('grey', 'grey; its one channel is repeated'),
    '1': ('grey', 'black and white; its one channel is repeated'),
    'LA': ('alpha', 'grey with alpha, which is dropped'),
    'RGBA': ('alpha', 'has an alpha channel, which is dropped'),
    'PA': ('alpha', 'has an alpha channel, which is dropped'),
    'CMYK': ('CMYK', 'in CMYK; its colours are converted without a profile'),
    'I': ('16-bit', 'more than 8 bits a channel, which are cut to 8'),
    'F': ('16-bit', 'more than 8 bits a channel, which are cut to 8'),
}
HUGE_SHARE = 0.98  # of an image that a box covers, so that it is reported


@dataclass
class FileReport:
    """What a check found out about one image.

    Attributes:
        name: Its name in the split file.
        problems: What is wrong.
        counts: Number of usable boxes of each class.
        image: Its path, or None if it cannot be used.
        annotation: What was read, or None if it cannot be used.
    """

    name: str
    problems: list[Problem] = field(default_factory=list)
    counts: Counter = field(default_factory=Counter)
    image: Path | None = None
    annotation: VOCAnnotation | None = None

    @property
    def usable(self) -> bool:
        """Whether the image can be trained on."""
        return self.image is not None and self.annotation is not None


def check_file(folder: Path, name: str,
               classes: tuple[str, ...] | None = None) -> FileReport:
    """Check one image of a folder in VOC layout.

    Args:
        folder: The folder.
        name: Its name in a split file.
        classes: The classes to train on; None for any.
    """
    report, size = FileReport(name), None
    try:
        path = find_image(folder, name)
    except UserError:
        expected = folder / 'JPEGImages' / f'{name}.jpg'
        report.problems.append(Problem(expected, 'missing image', 'the image is missing'
                                       ', with any other suffix too'))
    else:
        size, problems = check_image(path)
        report.problems += problems
        if size and not any(problem.costs_data for problem in problems):
            report.image = path
    path = folder / 'Annotations' / f'{name}.xml'
    try:
        annotation = read_voc_annotation(path, size)
    except UserError as error:
        kind = 'bad annotation' if path.is_file() else 'missing annotation'
        report.problems.append(
            Problem(path, kind, str(error).removeprefix(f'{path}: ')))
        return report
    if annotation.unplaced:
        report.problems.append(annotation.unplaced)
        return report
    report.annotation = annotation
    report.problems += annotation.skipped + annotation.notes
    report.problems += check_boxes(path, annotation, classes)
    report.counts.update(item.name for item in annotation.objects)
    if report.image is None:
        report.problems[0] = replace(report.problems[0],
                                     boxes=len(annotation.objects))
    return report


def check_image(path: Path) -> tuple[PictureSize | None, list[Problem]]:
    """Decode an image to its last pixel.

    Args:
        path: The file.

    Returns:
        tuple: Its size, or None if it cannot be opened; and the problems.
    """
    size, problems = None, []
    try:
        with Image.open(path) as image:
            size, mode = size_of(image), image.mode
            bits = (getattr(image, 'tag_v2', None) or {}).get(BITS, ())
            image.load()
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError,
            SyntaxError) as error:
        kind = 'unreadable image' if size is None else 'truncated image'
        reason = ('a Git-LFS pointer, the picture itself was not fetched'
                  if is_lfs_pointer(path) else error)
        return size, [Problem(path, kind, f'cannot be decoded ({reason})')]
    if mode == 'F' or (mode == 'I' and 32 in bits):
        return size, [Problem(path, 'unreadable image',
                              'it has 32 bits a channel, which training cannot read')]
    kind, detail = MODES.get(mode.partition(';')[0], (None, None))
    if kind:
        problems.append(Problem(path, kind, detail, costs_data=False))
    elif 'transparency' in image.info:
        problems.append(Problem(path, 'alpha', 'has transparent pixels, whose '
                                'transparency is dropped', costs_data=False))
    if size.orientation != 1:
        problems.append(Problem(
            path, 'EXIF rotation', 'stored turned (EXIF orientation '
            f'{size.orientation})', costs_data=False))
    return size, problems


def check_boxes(path: Path, annotation: VOCAnnotation,
                classes: tuple[str, ...] | None) -> list[Problem]:
    """What is wrong with boxes that could be read."""
    problems, seen = [], set()
    if not annotation.objects:
        problems.append(Problem(path, 'no boxes', 'no usable box; the image is not '
                                'trained on', costs_data=False))
    for item in annotation.objects:
        if item in seen:
            problems.append(Problem(path, 'duplicate box', f'{item.name} {item.bbox} '
                                    'occurs more than once', costs_data=False))
        seen.add(item)
        x1, y1, x2, y2 = item.bbox
        area = annotation.width * annotation.height
        if area and (x2 - x1) * (y2 - y1) > HUGE_SHARE * area:
            problems.append(Problem(path, 'huge box', f'{item.name} covers the whole '
                                    'image', costs_data=False))
        if classes and item.name not in classes:
            near = get_close_matches(item.name, classes, 1)
            hint = f', did you mean {near[0]}?' if near else ''
            problems.append(Problem(path, 'unknown class', f'{item.name!r} is not one '
                                    f'of the classes{hint}', boxes=1))
    return problems

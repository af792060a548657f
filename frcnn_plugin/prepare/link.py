"""Which picture an annotation is of."""

import os
import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote

from ..datasets.orientation import PictureSize, read_size
from ..errors import DataError
from .files import Files, folded, grouped
from .labels import Label, base_name
from .splits import canonical, of_path

# names of folders that say what is in them and not which part of a data set it is
GENERIC = re.compile(
    r'^(all_?)?(images?|img|imgs|jpegimages|pictures?|pics?|photos?|frames?|data|'
    r'annotations?|anns?|annots?|labels?|labelled|labeled|xmls?|txts?|jsons?|bbox(es)?|'
    r'yolo|voc|pascal_?voc|coco|obj(_train_data)?|ds\d*)([_-]?(xmls?|txts?|jsons?|voc|'
    r'yolo|images?|labels?|annotations?))?$')
# what Label Studio puts before a name, which is not a date
UPLOAD = re.compile(r'^(?!(19|20)\d\d(0\d|1[0-2])[0-3]\d-)[0-9a-f]{8}-')


class Linker:
    """Finds the pictures of labels by name, by folder and by size.

    Args:
        files: All pictures.
    """

    def __init__(self, files: Files) -> None:
        self.files = files
        self.size, self.folders = cache(self._size), cache(self._folders)
        self.splits = {of_path(files.relative(path)) for path in files.pictures}
        self.by_folder = grouped(files.pictures, lambda path: (
            self.folders(path.parent), folded(path.stem)))

    def _size(self, path: Path) -> PictureSize | None:
        try:
            return read_size(path)
        except DataError:
            return None

    def find(self, label: Label) -> tuple[Path | None, str]:
        """The picture of a label, or None and the reason.

        The picture called like the annotation file and the one that the label names may
        differ: the stated size decides or, if it cannot, the annotation file's name.
        """
        stem = folded(label.source.stem)
        by_stem = self.choose(label, self.files.by_stem.get(stem) or (
            self.files.by_name.get(stem)  # a.jpg.txt
            or self.files.by_stem.get(UPLOAD.sub('', stem), [])),
            label.source) if label.by_stem else []
        by_name = self._named(label)
        if by_stem and by_name and not set(by_name) & set(by_stem):
            found = by_name if self._agrees(label, by_name[0]) and not self._agrees(
                label, by_stem[0]) else by_stem
        else:  # of pictures with one stem, such as a.jpg and a.png, the named one
            found = [path for path in by_stem if path in by_name] or by_stem or by_name
        if not found:
            called = label.names[0] if label.names else label.source.stem
            return None, f'there is no picture {base_name(called) or "of its name"}'
        if len(found) > 1 and not _same_file(found):
            return None, (f'{len(found)} pictures may be meant: ' + ' and '.join(
                str(self.files.relative(path)) for path in found[:2]))
        return found[0], ''

    def _named(self, label: Label) -> list[Path]:
        """The pictures that the label names, by path as far as it goes."""
        for name in label.names:
            base = folded(base_name(name))
            plain = folded(unquote(base))
            for each in dict.fromkeys((base, plain, UPLOAD.sub('', plain))):
                found = self.files.by_name.get(each)
                if not found and '.' not in each[-6:]:  # written without suffix
                    found = self.files.by_stem.get(each)
                if not found:  # converted since
                    found = self.files.by_stem.get(each.rpartition('.')[0])
                if found:
                    return self.choose(
                        label, found, label.source.parent / _plain(Path(name)))
        return []

    def choose(self, label: Label, found: list[Path], near: Path) -> list[Path]:
        """Of pictures with the right name those that are meant.

        Args:
            label: Its size decides where the folders do not.
            found: The pictures.
            near: Where one is expected.
        """
        beside: list[Path] = []
        if len(found) > 1:  # those in its folder, before all others are looked at
            beside = self.by_folder.get(
                (self.folders(near.parent), folded(near.stem)), [])
            exact = [path for path in beside if folded(path.name) == folded(near.name)]
            beside = exact or beside
            found = beside or found
        if label.by_stem:
            found = [path for path in found
                     if not self._elsewhere(label, path)] or beside
        if len(found) < 2:
            return found
        called = {near.stem, *map(base_name, label.names)}
        found = [path for path in found if path.stem in called
                 or path.name in called] or found  # others differ in upper and lower
        wanted = self.folders(near.parent)
        apart = grouped(found, lambda path: len(wanted ^ self.folders(path.parent)))
        best = apart[min(apart)]
        if label.size:
            best = [path for path in best if self._agrees(label, path)] or best
        # instances_train.json names pictures of train, whatever folder it is in
        split = canonical(label.split or '') or (
            None if label.by_stem else canonical(label.source.stem))
        best = [path for path in best if split and of_path(
            self.files.relative(path)) == split] or best
        named = {part for name in label.names for part in re.split(r'[\\/]', name)[:-1]}
        same = [path for path in best if path.parent == near.parent] or [
            path for path in best if path.parent.name in named]
        if same:
            return same
        shared = grouped(best, lambda path: len(os.path.commonpath(
            [path.parent.absolute(), near.parent.absolute()])))
        return shared[max(shared)]

    def _elsewhere(self, label: Label, path: Path) -> bool:
        """Whether a picture is in another split than the file of its label."""
        own, other = (of_path(self.files.relative(each))
                      for each in (label.source, path))
        named = {of_path(_plain(Path(name))) for name in label.names}
        return own is not None and own in self.splits and (
            other not in (own, None, *named)) and 'trainval' not in (own, other)

    def _folders(self, folder: Path) -> frozenset[str]:
        """The folders of a path that tell parts of a data set apart."""
        parts = self.files.relative(folder).parts
        return frozenset(part.lower() for part in parts if not GENERIC.match(
            part.lower()))

    def _agrees(self, label: Label, path: Path) -> bool:
        size = self.size(path)
        return bool(label.size and size) and label.size in (size.upright, size[:2])


def _plain(path: Path) -> Path:
    """A path that an annotation wrote, without ``..``: it is compared, never opened."""
    parts = str(path).replace('\\', '/').split('/')
    return Path('/'.join(part for part in parts if part not in ('..', '.')))


def _same_file(paths: list[Path]) -> bool:
    """Whether files hold the same bytes."""
    if len({path.stat().st_size for path in paths}) > 1:
        return False
    return len({path.read_bytes() for path in paths}) == 1

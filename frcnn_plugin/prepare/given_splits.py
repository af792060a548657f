"""The splits that come with a data set, under whatever names."""

from collections import Counter, defaultdict
from pathlib import Path

from .files import folded
from .formats.yolo import configs_of, lines_of
from .splits import SPLITS, canonical, of_path
from .understand import Understood

MAX_PATH = 250  # letters that the name of a folder may have
MIN_NAMED = 2 / 3  # of the pictures that given splits have to name


def given_splits(found: Understood) -> dict[str, list[str]]:
    """The splits that come with the data, by their usual names; empty if none do.

    Lists in text files count before what annotations say, and those before folders.
    Lists of a part of the pictures only are not taken for splits of all.
    """
    for splits in (listed(found), by_place(found)):
        known = {name: splits[name] for name in (*SPLITS, 'trainval')
                 if splits.get(name)}
        named = {name for members in known.values() for name in members}
        if len(known) > 1 and len(named) >= MIN_NAMED * len(found.pictures):
            return known
    return {}


def listed(found: Understood) -> dict[str, list[str]]:
    """Splits of text files with a picture on each line, and of YOLO's YAML files."""
    places = Places(found)
    splits: dict[str, list[str]] = defaultdict(list)
    lists = found.files.others['.txt']
    main = [path for path in lists if path.parent.name == 'Main']
    for path in main or lists:
        split = canonical(path.stem)
        if split is None or folded(path.stem) in found.files.by_stem:
            continue
        lines = lines_of(path)
        names = [places.name_of(line) for line in lines if line.strip()]
        if sum(name is not None for name in names) > len(names) / 2:
            splits[split] += [name for name in names if name]
    folders = {file.parent for suffix in ('.yaml', '.yml')
               for file in found.files.others[suffix]}
    for folder in sorted(folders):
        for config in configs_of(folder):
            for split in ('train', 'val', 'valid', 'test'):
                places = config.get(split)
                places = [places] if isinstance(places, str) else places
                for place in places if isinstance(places, list) else []:
                    splits[canonical(split)] += below(found, folder, str(place))
    return {split: list(dict.fromkeys(names)) for split, names in splits.items()}


class Places:
    """Pictures by what a line of a list may call them: the end of their path."""

    def __init__(self, found: Understood) -> None:
        self.by_end: dict[str, set[str]] = defaultdict(set)
        self.split_of: dict[str, str | None] = {}
        for picture in found.pictures:
            path = found.files.relative(picture.image)
            self.split_of[picture.name] = of_path(path)
            for end in (path, path.with_suffix('')):
                parts = end.parts
                for begin in range(len(parts)):
                    key = folded('/'.join(parts[begin:]))
                    self.by_end[key].add(picture.name)

    def name_of(self, line: str) -> str | None:
        """The name of the picture that a line means, if it is one."""
        parts = folded(line.strip().replace('\\', '/')).split('/')
        for begin in range(len(parts)):
            names = self.by_end.get('/'.join(parts[begin:]), ())
            if len(names) == 1:
                name = next(iter(names))
                # val/a.jpg is not train/a.jpg
                apart = {of_path(Path(*parts)), self.split_of[name]} - {None}
                return name if len(apart) < 2 else None
        return None


def below(found: Understood, folder: Path, place: str) -> list[str]:
    """The pictures of a folder that a YAML file names, whatever stands before it."""
    parts = [part for part in place.replace('\\', '/').split('/')
             if part not in ('', '.', '..') and not part.endswith(':')]
    while parts:
        wanted = folder.joinpath(*parts)
        if len(str(place)) < MAX_PATH and wanted.is_dir():
            return [picture.name for picture in found.pictures
                    if picture.image.is_relative_to(wanted)]
        parts = parts[1:]
    return []


def by_place(found: Understood) -> dict[str, list[str]]:
    """Splits that annotations state, or the names of folders and of their files."""
    splits: dict[str, list[str]] = defaultdict(list)
    pictures_of = Counter(picture.source for picture in found.pictures)
    for picture in found.pictures:
        split = canonical(picture.split or '') or of_path(
            found.files.relative(picture.image))
        if split is None and picture.source:
            source = found.files.relative(picture.source)
            split = of_path(source) or (
                canonical(source.stem) if pictures_of[picture.source] > 1 else None)
        if split:
            splits[split].append(picture.name)
    return splits

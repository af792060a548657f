"""Which picture is trained on, and which is tested: the given splits, or new ones."""

import random
import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from pathlib import Path

SPLITS = ('train', 'val', 'test')
WORDS = {'train': 'train', 'training': 'train', 'val': 'val', 'valid': 'val',
         'validation': 'val', 'validate': 'val', 'dev': 'val', 'test': 'test',
         'testing': 'test', 'trainval': 'trainval'}


def canonical(text: str) -> str | None:
    """``'train'``, ``'val'``, ``'test'`` or ``'trainval'`` for what people call them.

    None for names that are none of these, such as ``default``, or several at once.
    """
    words = re.split(r'[^a-z]+', text.lower())
    found = {WORDS[word] for word in words if word in WORDS}
    return found.pop() if len(found) == 1 else None


def of_path(path: Path) -> str | None:
    """The split that the folders of a path name, the innermost first."""
    for part in reversed(path.parts[:-1]):
        found = canonical(part)
        if found:
            return found
    return None


def complete(splits: dict[str, list[Hashable]], classes: dict[Hashable, Iterable[str]],
             seed: int, groups: dict[Hashable, Hashable] | None = None
             ) -> tuple[dict[str, list[Hashable]], str]:
    """Given splits, with those that are missing made out of train.

    No member is in two of them: who is tested or validated on is not trained on.

    Args:
        splits: Members of each given split; ``trainval`` stands in for no ``train``.
        classes: The classes of each member.
        seed: Of the choice.
        groups: What belongs together has an equal value; default: nothing.

    Returns:
        tuple: ``train``, ``val`` and ``test``, and in words what was made of what.
    """
    found = {name: list(dict.fromkeys(splits.get(name, []))) for name in SPLITS}
    found['train'] = found['train'] or list(splits.get('trainval', []))
    words = []
    for name, others in (('val', ['test']), ('train', ['val', 'test'])):
        taken = {each for other in others for each in found[other]}
        left = [each for each in found[name] if each not in taken]
        if len(left) < len(found[name]) and splits.get(name):
            words.append(f'{len(found[name]) - len(left)} of {name} are in '
                         f'{" or ".join(others)} too and stay there only')
        found[name] = left
    made = []
    for name in ('val', 'test'):
        if not found[name] and len(found['train']) > 1:
            parts = share_out(found['train'], classes, (0.9, 0.1, 0.0), seed, groups)
            found['train'], found[name] = parts['train'], parts['val']
            made.append(name)
    words += [f'{" and ".join(made)} made out of train'] if made else []
    return found, '; '.join(words)


def share_out(members: Sequence[Hashable], classes: dict[Hashable, Iterable[str]],
              shares: Sequence[float], seed: int,
              groups: dict[Hashable, Hashable] | None = None
              ) -> dict[str, list[Hashable]]:
    """Split at random so that each class is in each split as far as it can be.

    The rarest class is shared out first, and train comes first with each of them. What
    belongs together, such as the frames of a video, stays together.

    Source: Sechidis et al., On the Stratification of Multi-label Data, ECML 2011.

    Args:
        members: What to split.
        classes: The classes of each member; repeats do not count.
        shares: Of train, val and test; they add up to 1.
        seed: Of the choice; the same gives the same splits.
        groups: What belongs together has an equal value; default: nothing.

    Returns:
        dict: The members of each split, in their order.
    """
    together = defaultdict(list)
    for each in sorted(members, key=str):
        together[groups.get(each, each) if groups else each].append(each)
    units = list(together.values())
    random.Random(seed).shuffle(units)
    units.sort(key=len, reverse=True)  # while there is room for the large ones
    kinds = [set().union(*(classes.get(each, ()) for each in unit)) for unit in units]
    units_of = defaultdict(list)
    for index, found in enumerate(kinds):
        for kind in found:
            units_of[kind].append(index)
    rarest_first = sorted(units_of, key=lambda kind: (len(units_of[kind]), kind))
    room = {name: len(members) * share
            for name, share in zip(SPLITS, shares, strict=True) if share > 0}
    sides = dict(zip(SPLITS, shares, strict=True))
    missing = {name: Counter({kind: sides[name] * len(found)
                              for kind, found in units_of.items()}) for name in room}
    split_of: dict[int, str] = {}

    def put(index: int, split: str) -> None:
        split_of[index] = split
        room[split] -= len(units[index])
        missing[split].subtract(kinds[index])

    for split in room:  # one of each class, in val and test while there is room
        limit = 0 if split == 'train' else -sides[split] * len(members)
        for kind in rarest_first:
            free = [index for index in units_of[kind] if index not in split_of]
            there = any(split_of.get(index) == split for index in units_of[kind])
            if free and not there and (split == 'train' or room[split] > limit):
                put(min(free, key=lambda index: len(units[index])), split)
    for kind in rarest_first:
        for index in units_of[kind]:
            if index not in split_of:
                put(index, max(room, key=lambda name: (
                    room[name] > 0, missing[name][kind], room[name])))
    for index in range(len(units)):
        if index not in split_of:
            put(index, max(room, key=room.__getitem__))
    for split in room:  # few pictures of many classes may all have gone to train
        if split not in split_of.values() and len(units) >= len(room):
            trained = [index for index, name in split_of.items() if name == 'train']
            counts = Counter(kind for index in trained for kind in kinds[index])
            split_of[min(trained, key=lambda index: sum(
                counts[kind] == 1 for kind in kinds[index]))] = split
    order = {each: place for place, each in enumerate(members)}
    return {name: sorted((each for index, unit in enumerate(units) for each in unit
                          if split_of[index] == name), key=order.__getitem__)
            for name in SPLITS}

"""A table of the settings in which two configs differ.

    python tools/diff_configs.py configs/frcnn_r50_c4_voc.py configs/frcnn_vgg16_voc.py
    python tools/diff_configs.py --write docs/lineage.md

``--write`` updates the tables that a document has between ``<!-- diff A B -->`` and
``<!-- end of diff -->``.
"""

import argparse
import re
import sys
from pathlib import Path

from mmengine.config import Config

ROOT = Path(__file__).resolve().parent.parent
PARTS = ('model', 'train_dataloader', 'train_cfg', 'optim_wrapper', 'param_scheduler',
         'custom_hooks', 'val_evaluator')
MARK = re.compile(r'(<!-- diff (\S+) (\S+) -->\n).*?(<!-- end of diff -->)', re.DOTALL)
Row = tuple[str, str, str]


def differences(first: object, second: object, name: str = '') -> list[Row]:
    """Rows of a setting, its value in the first config and its value in the second.

    Two parts of different types are one row.
    """
    if first == second:
        return []
    both_dicts = isinstance(first, dict) and isinstance(second, dict)
    if both_dicts and first.get('type') == second.get('type'):
        rows = []
        for key in [*first, *(key for key in second if key not in first)]:
            path = f'{name}.{key}' if name else key
            rows += differences(first.get(key), second.get(key), path)
        return rows
    whole = first is not None and second is not None
    return [(name, written(first, whole), written(second, whole))]


def written(value: object, whole: bool = True) -> str:
    """A value in few words; a part that the other config lacks is only named."""
    if value is None:
        return '-'
    if isinstance(value, dict) and not whole and 'type' in value:
        return f'{value["type"]}(...)' if len(value) > 1 else f'{value["type"]}()'
    if isinstance(value, dict):
        inside = [f'{key}={written(item)}' for key, item in value.items()
                  if key not in ('type', 'meta_keys')]
        return f'{value.get("type", "")}({", ".join(inside)})'
    if isinstance(value, list | tuple):
        return f'[{", ".join(written(item) for item in value)}]'
    return f'{value:.4g}' if isinstance(value, float) else str(value)


def table(first: Path, second: Path) -> str:
    """The differences of two config files in Markdown."""
    configs = [Config.fromfile(path) for path in (first, second)]
    rows = []
    for part in PARTS:
        rows += differences(*(cfg.get(part) for cfg in configs), part)
    lines = [f'| setting | `{first.stem}` | `{second.stem}` |', '| --- | --- | --- |']
    lines += [f'| `{name}` | {here} | {there} |' for name, here, there in rows]
    return '\n'.join(lines) + '\n'


def up_to_date(text: str) -> str:
    """The text with its tables made again."""
    return MARK.sub(lambda found: found[1] + table(
        *(ROOT / f'configs/{found[i]}.py' for i in (2, 3))) + found[4], text)


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('configs', nargs='*', type=Path, metavar='CONFIG')
    parser.add_argument('--write', type=Path, metavar='FILE',
                        help='update the tables in this document')
    args = parser.parse_args()
    if args.write:
        args.write.write_text(up_to_date(args.write.read_text()))
    elif len(args.configs) == 2:
        print(table(*args.configs), end='')
    else:
        parser.error('give two configs, or --write FILE')
    return 0


if __name__ == '__main__':
    sys.exit(main())

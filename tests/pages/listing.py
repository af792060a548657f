"""The pages, and the commands in them."""

import configparser
import re
import shlex
from pathlib import Path

from frcnn_plugin.commands.parser import COMMANDS

REPO = Path(__file__).resolve().parents[2]
PAGES = ['README.md', *sorted(str(path.relative_to(REPO))
                              for path in REPO.glob('docs/*.md'))]
STARTS = r'(python (?:tools/|-m )\S+|frcnn|torchrun|srun|make|pip|tensorboard|source)\s'


def commands_of(page: str) -> list[str]:
    """The commands of a page, one a line, without prompts, comments and brackets."""
    found, fenced = [], False
    for line in (REPO / page).read_text().replace('\\\n', ' ').splitlines():
        fenced ^= line.startswith('```')
        code = line.strip()
        if (fenced or line.startswith('    ')) and re.match(STARTS, code + ' '):
            found.append(re.sub(r'\s+#.*', '', code).replace('[--', '--').replace(
                '] ', ' ').removesuffix(']'))
    return found


def arguments_of(command: str) -> list[str] | None:
    """Those of ``frcnn``, whatever starts it; None if it is none of its commands."""
    words = shlex.split(command)
    if 'frcnn' in words:
        words = words[words.index('frcnn') + 1:]
    elif 'frcnn_plugin' in words:
        words = words[words.index('frcnn_plugin') + 1:]
    elif words[:1] == ['python'] and words[1].startswith('tools/'):
        words = [Path(words[1]).stem, *words[2:]]
    else:
        return None
    name = words[0].replace('-', '_')
    return [name, *words[1:]] if name in COMMANDS else None


def check_options(command: str) -> None:
    """Every option of a command is one that its program has."""
    words = shlex.split(command)
    if words[0] == 'make':
        assert re.search(rf'^{words[1]}:', (REPO / 'Makefile').read_text(), re.M), words
    elif words[0] == 'pip':
        check_extras(command)
    elif words[0] not in ('tensorboard', 'source'):
        said = help_of(words[1])
        for option in (word for word in words if word.startswith('--')):
            assert option in said, f'{command}: there is no {option}'


def help_of(program: str) -> str:
    """The source of a tool, in which its options are."""
    files = [REPO / program, *(REPO / 'tools/benchmarks').glob('*.py')]
    return ''.join(file.read_text() for file in files)


def check_extras(command: str) -> None:
    """The extras of ``pip install "frcnn-plugin[...]"`` are those of setup.cfg."""
    setup = configparser.ConfigParser(interpolation=None)
    setup.read(REPO / 'setup.cfg')
    for extra in re.findall(r'(?:frcnn-plugin|\.)\[([\w,-]+)\]', command):
        for name in extra.split(','):
            assert name in setup['options.extras_require'], command

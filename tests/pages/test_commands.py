"""Every command of the README and of docs/ does what it says, on small data.

All commands of ``frcnn`` run for real, in the order of their page, in a folder that has
what a reader would have: pictures of 128x96 pixels, no pretrained weights, one step of
training. What each must leave behind is in outcomes.py. A command that stands on
several pages runs once. The tools that measure run, very small, in test_measurements.py
and test_benchmark.py of tests/commands; here their options are checked.
"""

import glob
import re
import shutil
from importlib import import_module
from itertools import count
from pathlib import Path
from time import monotonic

import pytest
from pages import reader
from pages.listing import PAGES, REPO, arguments_of, check_options, commands_of
from pages.outcomes import Outcome, snapshot

from frcnn_plugin.commands import common, train_folder
from frcnn_plugin.commands.parser import build_parser
from frcnn_plugin.engine import timed_train_loop

TRAINING = ['train', 'my_pictures']
PLACEHOLDERS = dict(CONFIG='frcnn_r18_c4_shapes', DIR='work_dirs/dir')


@pytest.fixture(scope='module')
def bench(tmp_path_factory):
    """A folder with all that the pages name."""
    root = tmp_path_factory.mktemp('reader')
    reader.fill(root)
    shutil.copytree(REPO / 'configs', root / 'configs')
    return root


@pytest.fixture(scope='module')
def done():
    """The commands that an earlier page had."""
    return set()


@pytest.fixture
def run(bench, monkeypatch, fresh_process, capsys, translated_once):
    """Runs commands in that folder, with configs that are quick."""
    read = common.load_config
    monkeypatch.chdir(bench)
    monkeypatch.setattr(common, 'load_config', lambda *args: reader.quick(read(*args)))
    monkeypatch.setattr(timed_train_loop, 'monotonic', count(0, 100).__next__)
    monkeypatch.setattr(train_folder, 'seconds_of_a_step', lambda *args: 1.0)
    shutil.rmtree('my_data', ignore_errors=True)

    def run(arguments: list[str]) -> None:
        words = ready(arguments)
        monkeypatch.setattr(import_module('frcnn_plugin.commands.train'), 'STARTED',
                            monotonic())  # as in a process of its own
        command = getattr(import_module(f'frcnn_plugin.commands.{words[0]}'), words[0])
        capsys.readouterr()
        before = snapshot()
        status = command(words[1:])
        Outcome(words, before, capsys.readouterr().out,
                status if isinstance(status, int) else 0).check()

    return run


def ready(arguments: list[str]) -> list[str]:
    """A command of ``frcnn`` as a page has it, small, with all that it needs there."""
    name, *rest = arguments
    rest = [PLACEHOLDERS.get(word, word) for word in on_this_machine(rest)]
    if name == 'train' and not Path(rest[0]).is_dir():
        steps = '4' if 'alternating' in rest[0] else '1'
        rest = with_option(rest, '--max-iters', steps)
    if name == 'train' and not {'--resume', '--from', '--pretrained'} & set(rest):
        rest[1:1] = ['--from-scratch']
    if name == 'make_proposals':
        rest += ['--workers', '1']  # others start up for longer than they search
    if '-o' in rest and '--resume' not in rest:
        made = Path(rest[rest.index('-o') + 1])
        if made.is_dir():
            shutil.rmtree(made)
    if 'my_data' in rest and name != 'prepare':
        reader.my_data()
    for number, word in enumerate(rest):
        if word == 'CHECKPOINT':
            word = f'work_dirs/of_{Path(rest[0]).stem}/checkpoint.pth'
        if word.endswith('.pth'):
            found = glob.glob(word)
            if found:
                rest[number] = found[0]
            elif name != 'convert':
                rest[number] = reader.checkpoint_for(word, rest)
    return [name, *rest]


def on_this_machine(words: list[str]) -> list[str]:
    """The words without those for a GPU and for several processes."""
    words = [word for word in words if word != '--amp']
    if '--launcher' in words:  # real ones: tests/distributed
        place = words.index('--launcher')
        del words[place:place + 2]
    return words


def with_option(words: list[str], option: str, value: str) -> list[str]:
    """The words with an option set, whatever it was."""
    if option in words:
        words[words.index(option) + 1] = value
        return words
    return [words[0], option, value, *words[1:]]


def exports(arguments: list[str] | None) -> bool:
    """Whether a command writes a file for another program, or reads one."""
    return bool(arguments) and (arguments[0] == 'export' or any(
        word.endswith(('.onnx', '.xml', '.pt2')) for word in arguments))


def steps_of(target: str) -> list[str]:
    """The commands of ``make demo``."""
    makefile = (REPO / 'Makefile').read_text().replace('\\\n', ' ')
    recipe = re.search(rf'^{target}:.*\n((?:\t.*\n)+)', makefile, re.M)[1]
    demo = re.search(r'^DEMO := (.*)', makefile, re.M)[1]
    return [line.replace('$(BIN)/', '').replace('$(DEMO)', demo) for line in map(
        str.strip, recipe.splitlines()) if line.startswith('$(BIN)')]


ELSEWHERE = {  # a real cluster: tests/stream/test_on_ray.py; tools: tests/adapters
    '--engine', '--mlflow', '--wandb'}


def test_the_commands_are_found():
    every = [command for page in PAGES for command in commands_of(page)]
    ours = [words for words in map(arguments_of, every) if words]
    assert len(every) > 100 and len(ours) > 80


@pytest.mark.parametrize('page', [
    page if page == 'README.md' else pytest.param(page, marks=pytest.mark.long)
    for page in PAGES])
def test_commands(page, run, done):
    for command in commands_of(page):
        arguments = arguments_of(command)
        if arguments is None:
            check_options(command)
        elif ELSEWHERE & set(arguments):
            build_parser().parse_args([arguments[0].replace('_', '-'), *arguments[1:]])
        elif exports(arguments):
            pass  # test_exported_files
        elif (same := tuple(on_this_machine(arguments))) not in done:
            run(arguments)
            done.add(same)


@pytest.mark.long
def test_exported_files(run, capsys):
    """After the training on one's own folder, whose detector they are made of.

    And the Python of docs/export.md, which runs one of them.
    """
    every = [arguments_of(command) for page in PAGES for command in commands_of(page)]
    run(next(words for words in every if words and words[:2] == TRAINING))
    done = set()
    for words in filter(exports, every):
        if (same := tuple(words)) not in done:
            run(words)
            done.add(same)
    assert len(done) > 4
    code, = re.findall(r'```python\n(.*?)```', (REPO / 'docs/export.md').read_text(),
                       re.DOTALL)
    exec(compile(code, 'docs/export.md', 'exec'), {})
    lines = capsys.readouterr().out.splitlines()
    assert lines and all(line.split()[0] in reader.CLASSES for line in lines)


def test_make_demo(run):
    """Its data, its training and its test, less the number of pictures."""
    made, trained, tested = steps_of('demo')
    assert arguments_of(made) == ['make_shapes', '--out', 'data/shapes']
    run(arguments_of(trained))
    path = re.search(r'\$\$\(cat (\S+)\)', tested)[1]
    run(arguments_of(re.sub(r'"\$\$\(.*?\)"', Path(path).read_text(), tested)))
    assert list(Path('work_dirs/demo/pictures').glob('*.jpg'))

"""Every command of the README and of docs/ does what it says, on small data.

Commands of ``frcnn`` run for real, in the order of their page, in a folder that has
what a reader would have: pictures of 128x96 pixels, no pretrained weights, one step of
training. Of those that measure for hours or download the options are checked.
"""

import configparser
import glob
import io
import random
import re
import shlex
import shutil
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from helpers import write_xml
from PIL import Image, ImageDraw

from frcnn_plugin.commands import frcnn, overrides
from frcnn_plugin.commands.train import train
from frcnn_plugin.datasets.make_shapes import make_shapes

REPO = Path(__file__).resolve().parents[2]
RUN = ['README.md', 'docs/start.md', 'docs/data.md', 'docs/habits.md',
       'docs/look_inside.md', 'docs/export.md', 'docs/README.zh.md']
LISTED = ['docs/results.md', 'docs/performance.md', 'docs/reliability.md',
          'docs/interop.md', 'docs/proposals.md', 'docs/components.md',
          'docs/lineage.md', 'docs/reuse_in_mmdet.md']
STARTS = r'(python (?:tools/|-m )\S+|frcnn|torchrun|srun|make|pip|tensorboard|source)\s'
CLASSES = ['RBC', 'WBC', 'Platelets', 'cat', 'dog']
HARD = ('--voc', '--from-coco', '--from-yolo', 'frcnn_r50_c4_voc',
        'configs/frcnn_r50_c4_voc.py', 'configs/frcnn_r50_c4_coco.py')
# need the network, or much data; what they do has tests of its own
PICTURES = 20


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
    return [name, *words[1:]] if name in frcnn.COMMANDS else None


@pytest.fixture(scope='module')
def bench(tmp_path_factory):
    """What a reader has: a folder of pictures, one in VOC layout, shapes."""
    root = tmp_path_factory.mktemp('reader')
    heap = root / 'my_pictures'
    (heap / 'Annotations').mkdir(parents=True)
    rng, chance = np.random.default_rng(0), random.Random(0)
    for number in range(PICTURES):
        picture = Image.fromarray(rng.integers(0, 256, (96, 128, 3), dtype=np.uint8))
        boxes = []
        for label in CLASSES:
            x, y = chance.randint(1, 80), chance.randint(1, 60)
            boxes.append((label, x, y, x + 30, y + 30))
            ImageDraw.Draw(picture).rectangle((x, y, x + 30, y + 30), (label.lower()[
                0] == 'r' and 'red') or 'blue')
        picture.save(heap / f'BloodImage_{number:05d}.jpg')
        write_xml(heap, f'BloodImage_{number:05d}', boxes, size=(128, 96))
    for file in (heap / 'Annotations').iterdir():
        shutil.move(file, heap / file.name)
    (heap / 'Annotations').rmdir()
    shutil.copyfile(heap / 'BloodImage_00000.jpg', root / 'picture.jpg')
    make_shapes(root / 'data/shapes', dict(train=16, val=4, test=4))
    return root


@pytest.fixture
def reader(bench, monkeypatch, fresh_process):
    """Sits in that folder, with configs that are quick."""
    plain = overrides.config_of
    monkeypatch.chdir(bench)
    monkeypatch.setattr(overrides, 'config_of', lambda *args: quick(plain(*args)))
    if not (bench / 'configs').exists():
        shutil.copytree(REPO / 'configs', bench / 'configs')
    return bench


def quick(cfg):
    """A config with small pictures and batches."""
    for node in overrides.nested_dicts(cfg._cfg_dict):
        if node.get('type') == 'Resize' and 'scale' in node:
            node['scale'] = (128, 96)
    for name in overrides.LOADERS:
        if name in cfg:
            cfg[name].update(batch_size=2, num_workers=0, persistent_workers=False)
    cfg.default_hooks.checkpoint.save_optimizer = False
    model = cfg.get('model') or {}
    if model.get('rpn_head'):
        model.rpn_head.proposal_creator.test.max_per_img = 20
    if (model.get('backbone') or {}).get('depth') == 50 and 'neck' not in model:
        model.backbone.depth = model.roi_head.shared_head.depth = 18
        model.rpn_head.in_channels = 256
        model.roi_head.bbox_roi_extractor.out_channels = 256
        model.roi_head.bbox_head.in_channels = 512
    return cfg


def run(arguments: list[str]) -> None:
    """Run one command of ``frcnn`` as its page has it."""
    name, *rest = arguments
    rest = [word for word in rest if word != '--amp']  # there is no GPU
    if '--launcher' in rest:  # real ones: tests/distributed, test_habits
        place = rest.index('--launcher')
        del rest[place:place + 2]
    if name == 'train':
        rest = within(rest, '--max-iters', '1')
        if not any(word.startswith('--resume') for word in rest):
            rest[1:1] = ['--from-scratch']
    for number, word in enumerate(rest):
        if '*' in word or '[' in word:
            found = glob.glob(word)
            rest[number] = found[0] if '/best_' in word and found else word
        if word.endswith('.pth') and not glob.glob(word) and name != 'convert':
            rest[number] = checkpoint_for(word, rest)
    status = getattr(import_module(f'frcnn_plugin.commands.{name}'), name)(rest)
    assert not isinstance(status, int) or status == 0 or name == 'check_dataset'


def within(words: list[str], option: str, value: str) -> list[str]:
    """The words with an option set, whatever it was."""
    if option in words:
        words[words.index(option) + 1] = value
        return words
    return [words[0], option, value, *words[1:]]


def checkpoint_for(path: str, words: list[str]) -> str:
    """What the training that a page describes would have left under this name."""
    folder = Path(path.replace('*', 'it_1')).parent
    target = folder / Path(path).name.replace('*', 'it_1')
    config = folder.name if (REPO / f'configs/{folder.name}.py').exists() else (
        'frcnn_r18_c4_shapes')
    data = [] if 'shapes' in config else ['--data-root', my_data(), '--classes', *(
        CLASSES[3:] if 'cat' in words else CLASSES[:3])]
    train([config, '--max-iters', '1', '--from-scratch', '--work-dir', str(folder),
           *data])
    shutil.copyfile(folder / 'iter_1.pth', target)
    return str(target)


def my_data() -> str:
    """The folder in VOC layout that the README makes first."""
    if not Path('my_data').exists():
        from frcnn_plugin.commands.prepare_voc import prepare_voc
        prepare_voc(['--from-folder', 'my_pictures', '-o', 'my_data', '--split', '0.8'])
    return 'my_data'


@pytest.mark.parametrize('page', RUN)
def test_commands_that_run(page, reader):
    commands = commands_of(page)
    assert commands
    for command in commands:
        arguments = arguments_of(command)
        if arguments is None or any(word in HARD for word in arguments):
            check_options(command)
            continue
        target = Path(arguments[arguments.index('-o') + 1]) if '-o' in arguments else (
            None)
        if target is not None and target.is_dir():
            shutil.rmtree(target)
        if 'my_data' in arguments and arguments[0] != 'prepare_voc':
            my_data()
        run(arguments)


@pytest.mark.parametrize('page', LISTED)
def test_options_that_are_named(page):
    for command in commands_of(page):
        check_options(command)


def check_options(command: str) -> None:
    """Every option of a command is one that its program has."""
    words = shlex.split(command)
    if words[0] == 'make':
        assert re.search(rf'^{words[1]}:', (REPO / 'Makefile').read_text(), re.M), words
    elif words[0] == 'pip':
        check_extras(command)
    elif words[0] in ('tensorboard', 'source'):
        return
    else:
        arguments = arguments_of(command)
        said = help_of(arguments[0] if arguments else words[1], bool(arguments))
        named = [word.split('=')[0] for word in (arguments or words)
                 if word.startswith('--')]
        for option in named:
            assert option in said, f'{command}: there is no {option}'


def help_of(program: str, command: bool) -> str:
    """What ``--help`` says of a command of ``frcnn``; of a tool its source."""
    if not command:
        files = [REPO / program, *(REPO / 'tools/benchmarks').glob('*.py')]
        return ''.join(file.read_text() for file in files)
    said = io.StringIO()
    with redirect_stdout(said), pytest.raises(SystemExit):
        getattr(import_module(f'frcnn_plugin.commands.{program}'), program)(['--help'])
    return said.getvalue()


def check_extras(command: str) -> None:
    """The extras of ``pip install "frcnn-plugin[...]"`` are those of setup.cfg."""
    setup = configparser.ConfigParser(interpolation=None)
    setup.read(REPO / 'setup.cfg')
    for extra in re.findall(r'(?:frcnn-plugin|\.)\[([\w,-]+)\]', command):
        for name in extra.split(','):
            assert name in setup['options.extras_require'], command


def test_every_page_is_known():
    pages = {str(path.relative_to(REPO)) for path in REPO.glob('docs/*.md')}
    assert pages | {'README.md'} == {*RUN, *LISTED}


def test_links_lead_somewhere():
    for page in [*RUN, *LISTED]:
        folder = (REPO / page).parent
        for target in re.findall(r'\]\(([^)#]+)[^)]*\)', (REPO / page).read_text()):
            if not target.startswith('http'):
                assert (folder / target).exists(), f'{page}: {target}'


def test_the_program_that_runs_an_exported_file(reader, capsys):
    """The Python of docs/export.md, with a file that its command wrote."""
    if not Path('detector.onnx').exists():
        command, = [each for each in commands_of('docs/export.md') if 'onnx' in each]
        my_data()
        run(arguments_of(command))
    code, = re.findall(r'```python\n(.*?)```', (REPO / 'docs/export.md').read_text(),
                       re.DOTALL)
    exec(compile(code, 'docs/export.md', 'exec'), {})
    lines = capsys.readouterr().out.splitlines()
    assert all(line.split()[0] in CLASSES for line in lines[-3:])

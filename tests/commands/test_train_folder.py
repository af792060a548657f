"""A folder of pictures in, a detector out: the three commands of the README."""

import json
import shutil
from functools import partial
from pathlib import Path
from time import monotonic

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from PIL import Image

from frcnn_plugin.commands import first_weights, train_folder
from frcnn_plugin.commands.chosen_detector import chosen_detector
from frcnn_plugin.commands.detect import detect
from frcnn_plugin.commands.parser import parse
from frcnn_plugin.commands.test import configure, take_detector
from frcnn_plugin.commands.test import test as run_test
from frcnn_plugin.commands.train import configure as configure_training
from frcnn_plugin.commands.train import train
from frcnn_plugin.commands.train_folder import (
    FILE,
    data_in,
    facts_of_tiles,
    limit_validation,
)
from frcnn_plugin.datasets.voc_annotation import VOCObject
from frcnn_plugin.datasets.voc_layout import read_split
from frcnn_plugin.engine import timed_train_loop
from frcnn_plugin.engine.timed_train_loop import validation_seconds
from frcnn_plugin.errors import (
    CheckpointError,
    ConfigError,
    UserError,
    WeightsUnreachableError,
)
from frcnn_plugin.inference import Detector
from frcnn_plugin.inference.tiled_detector import TiledDetector
from frcnn_plugin.io.weights_only import load_weights_only
from frcnn_plugin.prepare.prepare_folder import choose_splits
from frcnn_plugin.prepare.understand import understand
from frcnn_plugin.prepare.voc_writer import Picture, voc_annotation
from frcnn_plugin.recipe.facts import Facts
from frcnn_plugin.recipe.measure import seconds_of_a_step

QUICK = ['--cfg-options', 'train_dataloader.batch_size=2', 'default_hooks.report=None',
         *(f'{name}_dataloader.{option}' for name in ('train', 'val', 'test')
           for option in ('num_workers=0', 'persistent_workers=False'))]


def unreachable(source: str) -> None:
    """In place of :func:`read_weights`, without a network."""
    if source.startswith('torchvision://'):
        raise WeightsUnreachableError(f'{source} cannot be downloaded')


def step_seconds(cfg: Config, facts: Facts, size: tuple[int, int], amp: bool) -> float:
    """In place of :func:`seconds_of_a_step`, by the width and the size."""
    return (cfg.model.rpn_head.in_channels / 256) ** 1.5 * (size[0] / 512) ** 2


@pytest.fixture
def pictures(shapes_root, tmp_path, monkeypatch):
    """Pictures beside their annotations, as a labelling tool leaves them.

    No weights can be downloaded.
    """
    monkeypatch.setattr('frcnn_plugin.commands.train.STARTED', monotonic())
    monkeypatch.setattr(train_folder, 'seconds_of_a_step', step_seconds)
    monkeypatch.setattr(first_weights, 'read_weights', unreachable)
    folder = tmp_path / 'pictures'
    folder.mkdir()
    for image in sorted((shapes_root / 'JPEGImages').glob('*.jpg')):
        shutil.copy(image, folder)
        shutil.copy(shapes_root / f'Annotations/{image.stem}.xml', folder)
    return folder


@pytest.mark.long
def test_three_commands(pictures, tmp_path, monkeypatch, fresh_process, capsys):
    now = iter(range(0, 10**6, 30))
    monkeypatch.setattr(timed_train_loop, 'monotonic', lambda: next(now))
    run = tmp_path / 'run'
    train([str(pictures), '--minutes', '10', '--seed', '0', '--work-dir', str(run),
           *QUICK])
    printed = capsys.readouterr().out
    assert 'splits made 0.8/0.1/0.1' in printed and 'of 4 classes' in printed
    assert 'enough for about 5' in printed  # some 590 steps of a second
    assert 'ResNet-18 C4 of 16 instead of 64 channels at 512x' in printed
    assert ' steps in ' in printed
    cfg = Config.fromfile(run / FILE)
    assert cfg.train_cfg.type == 'TimedTrainLoop' and cfg.train_cfg.minutes == 10
    # the same commands as for any detector, without a config
    summary = run_test([str(run / 'detector.pth'), '--data-root', str(run / 'data'),
                        '--split', 'val', '--cfg-options', *QUICK[2:]])
    assert json.loads((run / 'metrics.json').read_text()) == summary
    record = summary['training']  # of the run: what `tools/model_table.py` shows
    assert record['command'].startswith(f'frcnn train {pictures} --minutes 10 ')
    assert record['config'] == 'run.py' and (run / 'run.py').is_file()
    assert record['images'] == 2 * record['steps'] > 0 and record['seconds'] > 0
    best = Detector(run / 'detector.pth')
    assert set(best.classes) == {'circle', 'square', 'triangle', 'star'}
    found = tmp_path / 'found'
    assert detect([str(pictures / 'val_*.jpg'), str(run / 'detector.pth'),
                   '-o', str(found)]) == 0
    assert (found / 'detections.json').is_file()


def test_a_plan(pictures, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', 10)  # as if these were gigantic
    run = tmp_path / 'run'
    arguments = [str(pictures), '--work-dir', str(run), '--plan', '--no-flip']
    train(arguments)
    printed = capsys.readouterr().out
    assert 'not mirrored' in printed and '--minutes N sets another one' in printed
    assert sorted(path.name for path in run.iterdir()) == ['data', FILE]
    # a run that is resumed keeps its recipe, and only on the same data
    (run / FILE).write_text((run / FILE).read_text() + '\nmark = 1\n')
    train([*arguments, '--resume'])
    assert Config.fromfile(run / FILE).mark == 1
    next(pictures.glob('*.xml')).unlink()
    with pytest.raises(UserError, match='not those that the run in'):
        train([*arguments, '--resume'])
    train(arguments)  # anew, on what is there now
    (new,) = run.glob('data_*/Annotations')
    assert len(list(new.iterdir())) == len(list(pictures.glob('*.xml')))


def test_when_it_is_validated_can_be_chosen(pictures, tmp_path):
    run = tmp_path / 'run'
    train([str(pictures), '--minutes', '10', '--work-dir', str(run), '--plan',
           '--cfg-options', 'train_cfg.validate_at=0.1,0.5'])
    cfg = Config.fromfile(run / FILE)
    assert cfg.train_cfg.validate_at == [0.1, 0.5] and cfg.train_cfg.minutes == 10


@pytest.mark.parametrize(('has_it', 'times', 'options', 'chosen'), [
    (True, 0.5, [], True), (True, 0.95, [], False), (False, 0.5, [], False),
    (True, 0.5, ['--no-amp'], False)])
def test_bfloat16_where_it_is_faster(pictures, tmp_path, capsys, monkeypatch, has_it,
                                     times, options, chosen):
    seen = []

    def step(cfg, facts, size, amp):
        seen.append(amp)
        return step_seconds(cfg, facts, size, amp) * (times if amp else 1)

    monkeypatch.setattr(train_folder, 'has_bfloat16', lambda: has_it)
    monkeypatch.setattr(train_folder, 'seconds_of_a_step', step)
    run = tmp_path / 'run'
    train([str(pictures), '--minutes', '10', '--work-dir', str(run), '--plan',
           *options])
    printed = capsys.readouterr().out
    assert ('it trains in bfloat16' in printed) == chosen
    # 1,000 steps of the narrow network that is trained, not of the one begun with
    assert f'to flatten after about {3 if chosen else 4} minutes' in printed
    kind = Config.fromfile(run / FILE).optim_wrapper.type
    assert kind == ('frcnn_plugin.BF16OptimWrapper' if chosen else 'OptimWrapper')
    # the narrow network is timed in the type that was chosen, then in float32, too
    both = has_it and not options
    assert seen == [False, *[True] * both, chosen, *[False] * chosen]
    # the recipe is trained as it was planned, where that is possible and wished
    recipe = [str(run / FILE), '--work-dir', str(tmp_path / 'other')]
    for here, more in ((True, []), (True, ['--no-amp']), (False, [])):
        monkeypatch.setattr('frcnn_plugin.commands.train.has_bfloat16',
                            partial(bool, here))
        args = parse('train', [*recipe, *more])
        kind = configure_training(args).optim_wrapper.type
        assert kind.endswith('BF16OptimWrapper') == (chosen and here and not more)


def test_bfloat16_only_where_the_narrow_network_gains(pictures, tmp_path, capsys,
                                                      monkeypatch):
    def step(cfg, facts, size, amp):
        wide = cfg.model.rpn_head.in_channels == 256
        return step_seconds(cfg, facts, size, amp) * (0.5 if amp and wide else 1)

    monkeypatch.setattr(train_folder, 'has_bfloat16', lambda: True)
    monkeypatch.setattr(train_folder, 'seconds_of_a_step', step)
    run = tmp_path / 'run'
    for options, chosen in (([], False), (
            ['--cfg-options', 'model.backbone.depth=18'], True)):  # stays wide
        train([str(pictures), '--minutes', '10', '--work-dir', str(run), '--plan',
               *options])
        assert ('it trains in bfloat16' in capsys.readouterr().out) == chosen
        kind = Config.fromfile(run / FILE).optim_wrapper.type
        assert kind.endswith('BF16OptimWrapper') == chosen


def test_the_first_weights(pictures, tmp_path, checkpoint, monkeypatch, capsys):
    run = tmp_path / 'planned'

    def start(*options: str) -> tuple[str, Config, str]:
        train([str(pictures), '--work-dir', str(run), '--plan', *options])
        printed = capsys.readouterr().out
        (line,) = [line for line in printed.splitlines() if line.startswith('recipe:')]
        return line, Config.fromfile(run / FILE), printed

    line, cfg, printed = start()
    assert 'resnet18 cannot be downloaded, so it starts from random weights' in printed
    assert line.endswith('from random weights')
    assert not cfg.model.backbone.get('init_cfg')
    line, cfg, _ = start('--pretrained', 'mine.pth')
    assert line.endswith('from the weights of mine.pth')
    assert cfg.model.backbone.init_cfg == dict(
        type='Pretrained', checkpoint=str(Path('mine.pth').absolute()))
    line, cfg, _ = start('--from', checkpoint, '--cfg-options', 'custom_hooks=[]')
    assert cfg.default_hooks.start_from == dict(
        type='StartFromHook', checkpoint=checkpoint)
    with pytest.raises(CheckpointError, match='no such file'):
        start('--from', str(tmp_path / 'missing.pth'))
    monkeypatch.setattr(first_weights, 'read_weights', lambda source: {})
    line, *_ = start()
    assert line.endswith('from the weights of ImageNet')
    line, *_ = start('--from-scratch')
    assert line.endswith('from random weights')


def test_few_steps_make_a_cheaper_recipe(pictures, tmp_path, checkpoint, monkeypatch,
                                         capsys):
    monkeypatch.setattr(train_folder, 'seconds_of_a_step',
                        lambda *args: 10 * step_seconds(*args))
    # as if there were many pictures
    monkeypatch.setattr('frcnn_plugin.recipe.recipe.SUITED', (64, 1))
    run = tmp_path / 'planned'

    def planned(*options: str) -> tuple[set, int, float, str]:
        train([str(pictures), '--work-dir', str(run), '--plan', *options])
        cfg = Config.fromfile(run / FILE)
        sizes = {step['scale'][0] for loader in ('train', 'val', 'test')
                 for step in cfg[f'{loader}_dataloader'].dataset.pipeline
                 if step['type'] == 'Resize'}
        return (sizes, cfg.model.rpn_head.in_channels,
                cfg.model.rpn_head.anchor_generator.scales[0], capsys.readouterr().out)

    full, channels, anchor, printed = planned('--from-scratch', '--minutes', '900')
    assert (full, channels) == ({512}, 4 * 64) and 'it trains a' not in printed
    sizes, channels, _, printed = planned('--from-scratch', '--minutes', '240')
    assert (sizes, channels) == (full, 4 * 32)
    assert 'a step takes 3.54 s' in printed  # some 4000 such steps
    assert ' steps of a ResNet-18 C4 at 512x' in printed
    assert 'trains a ResNet-18 C4 of 32 instead of 64 channels at 512x' in printed
    few = ['--from-scratch', '--minutes', '18']
    sizes, channels, smallest, printed = planned(*few)
    assert (sizes, channels) == ({480}, 4 * 16)
    assert 'a step takes 1.10 s' in printed  # 107 steps, 860, 980
    assert smallest == pytest.approx(anchor * 480 / 512, rel=0.01)
    # for the time that it proposes, too: for 1000 steps
    assert planned('--from-scratch')[:2] == (full, 4 * 32)
    # what is chosen stays; with weights that know something less is to learn
    sizes, channels, *_ = planned(
        *few, '--cfg-options', 'model.rpn_head.anchor_generator.scales=1,2,4')
    assert (sizes, channels) == (full, 4 * 16)
    sizes, channels, *_ = planned(
        *few, '--cfg-options', 'model.backbone.norm_eval=True')
    assert (sizes, channels) == ({256}, 4 * 64)
    assert planned('--from', checkpoint, '--minutes', '18')[:2] == (full, 4 * 64)
    # nothing is given up where it saves no time
    monkeypatch.setattr(train_folder, 'seconds_of_a_step', lambda *args: 10.0)
    assert planned(*few)[:2] == (full, 4 * 64)


def test_a_narrow_detector_goes_on_as_one(pictures, tmp_path, monkeypatch,
                                          fresh_process):
    options = ['--seed', '0', *QUICK]
    now = iter(range(0, 10**6, 10))
    monkeypatch.setattr(timed_train_loop, 'monotonic', lambda: next(now))
    first, second = tmp_path / 'first', tmp_path / 'second'
    train([str(pictures), '--from-scratch', '--minutes', '1', '--work-dir', str(first),
           *options])
    state = load_weights_only(first / 'detector.pth')['state_dict']
    assert len(state['backbone.conv1.weight']) == 16
    train([str(pictures), '--from', str(first / 'detector.pth'), '--plan',
           '--work-dir', str(second), *options])
    assert Config.fromfile(second / FILE).model.backbone.base_channels == 16


def test_mistakes_in_settings_are_explained(pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(train_folder, 'seconds_of_a_step', seconds_of_a_step)
    with pytest.raises(ConfigError, match='depht'):
        train([str(pictures), '--work-dir', str(tmp_path / 'run'), '--from-scratch',
               '--cfg-options', 'model.backbone.depht=34'])


@pytest.mark.long
def test_a_run_of_another_recipe_is_not_resumed(pictures, tmp_path, monkeypatch):
    """Its weights were others, though its pictures are the same."""
    now = iter(range(0, 10**6, 30))
    monkeypatch.setattr(timed_train_loop, 'monotonic', lambda: next(now))
    arguments = [str(pictures), '--minutes', '10', '--work-dir', str(tmp_path / 'run'),
                 '--from-scratch', *QUICK]
    train(arguments)
    train([*arguments[:5], '--from', str(tmp_path / 'run/detector.pth'), '--plan'])
    with pytest.raises(UserError, match='of an earlier run, of another recipe'):
        train([*arguments, '--resume'])


def test_a_link_keeps_its_name(pictures, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'a_link').symlink_to(pictures)
    train(['a_link', '--plan'])
    assert (tmp_path / 'work_dirs/a_link' / FILE).is_file()


def test_a_folder_whose_lists_are_not_the_splits(shapes_root, tmp_path):
    """Pictures to test on that are listed for training, too, are not trained on."""
    root = shutil.copytree(shapes_root, tmp_path / 'shapes')

    def data():
        found = understand(root)
        splits = choose_splits(found, None, 0)
        return splits, data_in(tmp_path / 'run', found, splits, 'abc')

    link = tmp_path / 'run/data'
    assert data()[1] == root and link.resolve() == root
    link.unlink()
    link.symlink_to(tmp_path)  # of an earlier run
    assert data()[1] == root and data()[1] == root and link.resolve() == root
    lists = root / 'ImageSets/Main'
    tested = (lists / 'test.txt').read_text()
    with (lists / 'train.txt').open('a') as file:
        file.write(f'\n{tested}')
    splits, made = data()
    trained = read_split(made, 'train')
    assert made == tmp_path / 'run/data' and len(trained) == 24
    assert not made.is_symlink()
    assert sorted(trained) == sorted(each.name for each in splits.members['train'])
    assert not {*trained} & {*read_split(made, 'test')}


def test_validation_has_a_picture_with_an_object():
    cfg = Config(dict(train_dataloader=dict(batch_size=4),
                      val_dataloader=dict(dataset=dict())))
    pictures = [Picture(str(place), Path(), 640, 480, [
        VOCObject('cat', (1, 1, 9, 9))] * (place in (1, 3))) for place in range(40)]
    limit_validation(cfg, pictures, seconds=30, step=1.0)
    chosen = cfg.val_dataloader.dataset.indices
    assert 1 in chosen and len(chosen) == len({*chosen}) < 40


def test_validation_takes_a_tenth_of_the_time(capsys):
    cfg = Config(dict(train_dataloader=dict(batch_size=4),
                      val_dataloader=dict(dataset=dict())))
    pictures = [Picture(str(place), Path(), 640, 480) for place in range(1000)]
    took = limit_validation(cfg, pictures[:50], seconds=200, step=2.0)
    assert took == validation_seconds(2.0, 50, 4) <= 20
    assert 'indices' not in cfg.val_dataloader.dataset and not capsys.readouterr().out
    took = limit_validation(cfg, pictures, seconds=200, step=2.0)
    chosen = cfg.val_dataloader.dataset.indices
    assert took == pytest.approx(validation_seconds(2.0, len(chosen), 4))
    assert took <= 20 and chosen[-1] > 900
    assert f'{len(chosen)} of 1000 pictures' in capsys.readouterr().out
    tiled = Config(dict(train_dataloader=dict(batch_size=4), tiles=320,
                        val_dataloader=dict(dataset=dict(dataset=dict()))))
    took = limit_validation(tiled, pictures, seconds=200, step=2.0)
    assert took <= 20  # a picture has six tiles
    assert len(tiled.val_dataloader.dataset.dataset.indices) == pytest.approx(
        len(chosen) / 6, abs=1)


@pytest.mark.long
def test_tiny_objects_are_found_in_tiles(tmp_path, monkeypatch, fresh_process, capsys):
    """Nobody asks for tiles: the recipe does, and the detector remembers."""
    monkeypatch.setattr('frcnn_plugin.commands.train.STARTED', monotonic())
    monkeypatch.setattr(train_folder, 'seconds_of_a_step', step_seconds)
    now = iter(range(0, 10**6, 60))
    monkeypatch.setattr(timed_train_loop, 'monotonic', lambda: next(now))
    rng, folder, run = np.random.default_rng(0), tmp_path / 'cells', tmp_path / 'run'
    folder.mkdir()
    for name in range(5):
        image = np.full((540, 1100, 3), 90, np.uint8)
        corners = rng.integers((20, 20), (1060, 500), (60, 2))
        for x, y in corners:
            image[y:y + 7, x:x + 7] = 255
        cv2.imwrite(str(folder / f'{name}.png'), image)
        cells = [VOCObject('cell', (x, y, x + 6, y + 6)) for x, y in corners]
        (folder / f'{name}.xml').write_bytes(
            voc_annotation(f'{name}.png', (1100, 540, 3), cells))
    small = [f'{loader}_dataloader.dataset.pipeline.{place}.scale=(128,128)'
             for loader, place in (('train', 2), ('val', 1), ('test', 1))]
    train([str(folder), '--minutes', '10', '--work-dir', str(run), '--from-scratch',
           *QUICK, *small])
    printed = capsys.readouterr().out
    assert 'the objects are tiny: pictures are cut into tiles of 256 pixels' in printed
    assert ' tiles a step' in printed
    cfg = Config.fromfile(run / FILE)
    for loader, empty in ((cfg.train_dataloader, False), (cfg.val_dataloader, True)):
        data = loader.dataset
        assert (data.type, data.size, data.empty) == ('TiledDataset', 256, empty)
        assert data.pipeline[0].type == 'LoadTile' and not data.dataset.pipeline
    assert 'tile' in cfg.val_dataloader.dataset.pipeline[-1].meta_keys
    assert cfg.test_dataloader.dataset.type == 'VOCFolder'  # pictures, for --tiles
    assert Detector(run / 'detector.pth').tiles == 256
    with pytest.raises(UserError, match='began with tiles of 256 pixels; leave'):
        train([str(folder), '--work-dir', str(run), '--resume', '--tiles', '0'])
    summary = run_test([str(run / 'detector.pth'), '--data-root', str(run / 'data'),
                        '--cfg-options', *QUICK[2:]])
    assert summary['training']['images'] == 2 * summary['training']['steps']
    for words, size in ((), 256), (('--tiles', '128'), 128), (('--tiles', '0'), None):
        args = parse('detect', [str(folder), str(run / 'detector.pth'), *words])
        chosen, _ = chosen_detector(args, 'cpu')
        assert isinstance(chosen, TiledDetector) == bool(size)
        assert getattr(chosen, 'size', None) == size == (args.tiles or None)
    said = capsys.readouterr().out
    assert said.count('in tiles of 256 pixels, as it was trained on') == 2


@pytest.mark.parametrize(('tiles', 'kind', 'said'), [
    ('0', 'VOCFolder', 'pictures a step'), ('96', 'TiledDataset', 'tiles a step')])
def test_tiles_as_asked_for(pictures, tmp_path, capsys, tiles, kind, said):
    words = [str(pictures), '--work-dir', str(tmp_path / 'run'), '--plan', '--tiles']
    train([*words, tiles])
    printed = capsys.readouterr().out
    cfg = Config.fromfile(tmp_path / 'run' / FILE)
    assert cfg.train_dataloader.dataset.type == kind and said in printed
    assert cfg.get('tiles', 0) == int(tiles) and 'tiny' not in printed
    large = Picture('a', Path(), 500, 500, [VOCObject('cat', (0, 0, 399, 399))])
    with pytest.raises(UserError, match='none shows 40% of any object'):
        facts_of_tiles([large], 64)
    with pytest.raises(UserError, match='--tiles: for a folder of pictures'):
        train(['frcnn_r18_c4_shapes', '--tiles', tiles])


def test_a_test_of_it_is_in_tiles_too(checkpoint, tmp_path):
    content = load_weights_only(checkpoint)
    content['meta']['cfg'] += '\ntiles = 64\n'
    torch.save(content, tmp_path / 'detector.pth')
    with pytest.raises(UserError, match='--tiles 0'):
        args = parse('test', [str(tmp_path / 'detector.pth'), '--tta'])
        configure(args, carried=take_detector(args))
    for words, size in ((), 64), (('--tiles', '0'), None), (
            ('--tiles', '0', '--tta'), None):
        args = parse('test', [str(tmp_path / 'detector.pth'), *words])
        cfg = configure(args, carried=take_detector(args))
        assert cfg.model.get('tiles') == size


def test_a_checkpoint_of_other_data(pictures, tmp_path, checkpoint, fresh_process):
    """An earlier run in this work dir, before pictures were added."""
    run = tmp_path / 'run'
    train([str(pictures), '--work-dir', str(run), '--plan'])
    with pytest.raises(UserError, match='of an earlier run, on other data'):
        train([str(pictures), '--work-dir', str(run), '--resume', checkpoint])


@pytest.mark.parametrize(('options', 'message'), [
    (['--minutes', '0'], '--minutes is 0'),
    (['--minutes', '0.1'], r'too short, a step takes 0.031 s here; give it \d'),
    (['--classes', 'cat'], 'brings its own'),
    (['--max-iters', '5'], 'trained on for a time'),
    (['--launcher', 'pytorch'], 'make the recipe first'),
    (['--work-dir', 'pictures/run'], 'lies in the folder of pictures, or'),
    (['--work-dir', '.'], 'lies in the folder of pictures, or')])
def test_what_a_folder_cannot_be_trained_with(
        pictures, tmp_path, options, message, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=message):
        train([str(pictures), '--work-dir', str(tmp_path / 'run'), *options])

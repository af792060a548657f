"""An exported file is a detector like any other, and needs no torch."""

import json
import re
import subprocess
import sys
from collections import Counter

import cv2
import openvino
import pytest
import torch
from filelock import FileLock
from helpers import put_points
from torchvision.ops import box_iou

from frcnn_plugin import Detector
from frcnn_plugin.commands.detect import detect
from frcnn_plugin.commands.export import export
from frcnn_plugin.commands.inspect_stages import inspect_stages
from frcnn_plugin.commands.test import test as run_test
from frcnn_plugin.errors import MixedPrecisionError, UserError
from frcnn_plugin.inference.file_detector import core
from frcnn_plugin.io.weights_only import load_weights_only

pytestmark = pytest.mark.long  # what they are about takes a minute to make

THRESHOLDS = dict(circle=0.9, square=0.06, triangle=0.08, star=0.9)
WITHOUT = """
import sys
from importlib.machinery import PathFinder

class Others:
    def find_spec(self, name, *rest):
        if name.partition('.')[0] not in ('torch', 'torchvision', 'mmengine', 'mmcv',
                                          'mmdet', 'cv2', 'matplotlib'):
            return PathFinder.find_spec(name, *rest)

sys.meta_path[sys.meta_path.index(PathFinder)] = Others()
from frcnn_plugin.commands.frcnn import main
main()
"""


@pytest.fixture
def files(checkpoint, kept, shapes_root, translated_once):
    """Each is made once, with the resizing inside: in float32, and in 8 bits."""
    with FileLock(kept / 'detector.lock'):
        if not (kept / 'detector.onnx').exists():
            told = put_points(checkpoint, kept / 'told.pth', THRESHOLDS)
            text, count = re.subn(
                'scale_factor=1.0', 'scale_factor=1.04',
                load_weights_only(checkpoint)['meta']['cfg'])
            assert count
            (kept / 'resizing.py').write_text(text)
            detector = [str(kept / 'resizing.py'), told]
            export([*detector, '--to', 'onnx', '--with-resize', '-o',
                    str(kept / 'detector.onnx')])
            export([*detector, '--to', 'openvino', '-o', str(kept / 'detector.xml'),
                    '--with-resize', '--int8', '--calibrate', str(shapes_root)])
    return kept


@pytest.fixture
def pictures(shapes_root):
    return sorted((shapes_root / 'JPEGImages').glob('test_*.jpg'))[:3]


def assert_alike(found, expected, share, atol):
    """Most of the best are in both: the scores of one step of training are alike."""
    iou = box_iou(torch.from_numpy(expected.boxes[:20]), torch.from_numpy(found.boxes))
    same = torch.from_numpy(expected.labels[:20, None] == found.labels)
    best, place = (iou * same).max(1)
    assert (best > 0.9).float().mean() >= share
    close = abs(found.scores[place.numpy()] - expected.scores[:20]) < atol
    assert close.mean() >= share


@pytest.mark.parametrize(('name', 'share', 'atol'), [
    ('detector.onnx', 0.9, 0.005), ('detector.xml', 0.5, 0.05)])
def test_it_finds_what_the_checkpoint_finds(files, checkpoint, pictures, name, share,
                                            atol):
    mine = Detector(files / name)
    theirs = Detector(checkpoint, files / 'resizing.py', device='cpu')
    assert isinstance(mine, Detector) and mine.classes == theirs.classes
    large = cv2.resize(cv2.imread(str(pictures[0])), (333, 250))
    for found, expected in zip(mine([*pictures, large]), theirs([*pictures, large]),
                               strict=True):
        assert len(found) == len(expected) > 20
        assert_alike(found, expected, share, atol)


def test_8_bits(files):
    network = Detector(files / 'detector.xml')
    assert network.notes['precision'] == 'int8'
    assert network.notes['test_cfg']['score_thr'] == 0.05
    assert network.operating_points['thresholds'] == THRESHOLDS
    kinds = Counter(op.get_rt_info()['runtimePrecision'].astype(str)
                    for op in network.network.get_runtime_model().get_ops()
                    if op.get_rt_info()['layerType'].astype(str) == 'Convolution')
    assert kinds['i8'] + kinds['u8'] > 10
    weights = (files / 'detector.bin').stat().st_size
    assert weights < 0.3 * (files / 'detector.onnx').stat().st_size


def test_the_ap_of_the_very_file(files, checkpoint, shapes_root, tmp_path,
                                 fresh_process):
    common = ['--data-root', str(shapes_root), '--cfg-options',
              'default_hooks.report=None', 'test_dataloader.num_workers=0',
              'test_dataloader.persistent_workers=False', '--work-dir']
    expected = run_test([str(files / 'resizing.py'), checkpoint, *common,
                         str(tmp_path / 'by_checkpoint')])
    found = run_test([str(files / 'detector.onnx'), *common, str(tmp_path / 'by_file')])
    assert found['per_class'].keys() == expected['per_class'].keys()
    assert expected['mAP'] > 0
    assert found['mAP'] == pytest.approx(expected['mAP'], rel=0.1)


def test_without_torch(files, pictures, tmp_path):

    def run(*words):
        return subprocess.run([sys.executable, '-c', WITHOUT, *words], text=True,
                              capture_output=True, cwd=tmp_path)

    done = run('detect', str(pictures[0]), str(files / 'detector.onnx'), '-o', 'found',
               '--score-thr', '0')
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / 'found/detections.json').read_text())['annotations']
    assert (tmp_path / 'found' / pictures[0].name).is_file()
    done = run('detect', str(pictures[0]), str(files / 'detector.xml'), '-o', 'cut',
               '--no-pictures')
    assert 'at least 0.90 circle, 0.06 square, 0.08 tri' in done.stdout, done.stderr
    found = json.loads((tmp_path / 'cut/detections.json').read_text())['annotations']
    assert {each['probability'] for each in found} <= {0.5, 0.26894, 0.1192, 0.04743}
    assert found and all(each['score'] >= THRESHOLDS[each['category']]
                         for each in found)
    for words in (('train', 'a.py'), ('detect', str(pictures[0]), 'a.pth')):
        done = run(*words)
        assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
        assert 'is not installed. pip install "frcnn-plugin[lite]"' in done.stderr


def test_what_a_file_has_inside(files, pictures):
    with pytest.raises(UserError, match='has its settings inside'):
        Detector(files / 'detector.onnx', 'a.py')
    with pytest.raises(UserError, match='has 4 classes, but 1 names'):
        Detector(files / 'detector.onnx', classes=['a'])
    with pytest.raises(UserError, match='cannot run it on device TPU'):
        Detector(files / 'detector.onnx', device='tpu')
    with pytest.raises(UserError, match='--recall and --tta need the checkpoint'):
        run_test([str(files / 'detector.onnx'), '--tta'])
    model = core().read_model(files / 'detector.onnx')
    model.set_rt_info('{}', 'frcnn_plugin')
    openvino.save_model(model, files / 'old.xml')
    with pytest.raises(UserError, match='an older version'):
        Detector(files / 'old.xml')
    for command in (lambda file: export([file, '--to', 'onnx']),
                    lambda file: inspect_stages([str(pictures[0]), file])):
        with pytest.raises(UserError, match='exported'):
            command(str(files / 'detector.onnx'))


def test_a_folder_of_pictures_is_read_beside_the_network(files, shapes_root, tmp_path,
                                                         capsys):
    assert detect([str(shapes_root / 'JPEGImages'), str(files / 'detector.xml'), '-o',
                   str(tmp_path / 'out'), '--no-pictures']) == 0
    said = capsys.readouterr().out
    assert 'detections in 34 images' in said and 'images a second' in said
    names = [image['file_name'] for image in json.loads(
        (tmp_path / 'out/detections.json').read_text())['images']]
    assert names == sorted(names)


@pytest.mark.parametrize('able', [['FP32', 'FP16'], ['FP32', 'BF16']])
def test_16_bits_where_the_processor_computes_in_them(files, monkeypatch, able):
    class Core:
        read_model = staticmethod(core().read_model)

        def get_property(self, device, name):
            return able

        def compile_model(self, model, device, settings):
            return settings

    monkeypatch.setattr('frcnn_plugin.inference.file_detector.core', Core)
    assert Detector(files / 'detector.onnx').network['INFERENCE_PRECISION_HINT'] == (
        'f32')
    if 'BF16' in able:
        network = Detector(files / 'detector.onnx', amp=True).network
        assert network['INFERENCE_PRECISION_HINT'] == 'bf16'
    else:
        with pytest.raises(MixedPrecisionError, match='no instructions for 16 bits'):
            Detector(files / 'detector.onnx', amp=True)


def test_signals_after_detectors_that_are_gone(files):
    code = """
import faulthandler, gc, signal, subprocess, sys
from frcnn_plugin import Detector
faulthandler.enable()
signal.signal(signal.SIGCHLD, lambda *_: None)
first, second = Detector(sys.argv[1]), Detector(sys.argv[1])
del first
gc.collect()
del second
gc.collect()
subprocess.run(['true'], check=True)
"""
    file = str(files / 'detector.xml')
    subprocess.run([sys.executable, '-c', code, file], check=True)

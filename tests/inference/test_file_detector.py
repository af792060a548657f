"""An exported file is a detector like any other, and needs no torch."""

import json
import subprocess
import sys

import cv2
import numpy as np
import openvino
import pytest

from frcnn_plugin import Detector
from frcnn_plugin.commands.detect import detect
from frcnn_plugin.commands.export import export
from frcnn_plugin.commands.test import test as run_test
from frcnn_plugin.errors import UserError

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
def files(checkpoint, kept, shapes_root):
    """Each is made once: float32 with the resizing inside, and 8 bits without."""
    if not (kept / 'detector.onnx').exists():
        export([checkpoint, '--to', 'onnx', '--with-resize', '-o',
                str(kept / 'detector.onnx')])
        export([checkpoint, '--to', 'openvino', '-o', str(kept / 'detector.xml'),
                '--int8', '--calibrate', str(shapes_root)])
    return kept


@pytest.fixture
def pictures(shapes_root):
    return sorted((shapes_root / 'JPEGImages').glob('test_*.jpg'))[:3]


def test_it_finds_what_the_checkpoint_finds(files, checkpoint, pictures):
    mine, theirs = Detector(files / 'detector.onnx'), Detector(checkpoint, device='cpu')
    assert isinstance(mine, Detector) and mine.classes == theirs.classes
    large = cv2.resize(cv2.imread(str(pictures[0])), (700, 500))
    for found, expected in zip(mine([*pictures, large]), theirs([*pictures, large]),
                               strict=True):
        assert len(found) == len(expected) > 0
        # the resizing inside does not round to whole grey values
        np.testing.assert_allclose(found.scores, expected.scores, atol=5e-3)


def test_8_bits(files, checkpoint, pictures):
    """The scores of one step of training are too alike to be compared by rank."""
    network = Detector(files / 'detector.xml')
    assert network.notes['precision'] == 'int8'
    assert network.notes['test_cfg']['score_thr'] == 0.05
    kinds = {op.get_type_name() for op in network.network.get_runtime_model().get_ops()}
    weights = (files / 'detector.bin').stat().st_size
    assert weights < 0.3 * (files / 'detector.onnx').stat().st_size and kinds
    for found, expected in zip(network(pictures),
                               Detector(checkpoint, device='cpu')(pictures),
                               strict=True):
        np.testing.assert_allclose(found.scores.max(), expected.scores.max(), atol=0.05)


def test_the_ap_of_the_very_file(files, checkpoint, small, shapes_root, tmp_path):
    arguments = small(work_dir='by_checkpoint')
    expected = run_test([arguments[0], checkpoint, *arguments[1:],
                         'model.rpn_head.feat_channels=32',
                         'model.roi_head.bbox_head.fc_channels=[32,32]'])
    found = run_test([str(files / 'detector.onnx'), '--data-root', str(shapes_root),
                      '--work-dir', str(tmp_path / 'by_file'), '--cfg-options',
                      'default_hooks.report=None'])
    assert found['per_class'].keys() == expected['per_class'].keys()
    assert found['mAP'] == pytest.approx(expected['mAP'], abs=0.01)


def test_without_torch(files, pictures, tmp_path):

    def run(*words):
        return subprocess.run([sys.executable, '-c', WITHOUT, *words], text=True,
                              capture_output=True, cwd=tmp_path)

    done = run('detect', str(pictures[0]), str(files / 'detector.onnx'), '-o', 'found',
               '--score-thr', '0')
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / 'found/detections.json').read_text())['annotations']
    assert (tmp_path / 'found' / pictures[0].name).is_file()
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
    for precision in ('int8', 'fp32'):
        model = openvino.Core().read_model(files / 'detector.onnx')
        model.set_rt_info('{}', 'frcnn_plugin')
        openvino.save_model(model, files / f'{precision}.xml')
        with pytest.raises(UserError, match='an older version'):
            Detector(files / f'{precision}.xml')


def test_8_bits_need_pictures(checkpoint, tmp_path, shapes_root):
    out = ['-o', str(tmp_path / 'a.xml')]
    for words, says in (
            (['--to', 'onnx', '--int8', '--calibrate', 'a'], 'needs --to openvino'),
            (['--to', 'openvino', '--int8'], 'with --calibrate DIR'),
            (['--to', 'openvino', '--int8', '--calibrate', 'a', '--check', 'b'],
             'what has to be equal')):
        with pytest.raises(UserError, match=says):
            export([checkpoint, *words, *out])


def test_a_folder_of_pictures_is_read_beside_the_network(files, shapes_root, tmp_path,
                                                         capsys):
    assert detect([str(shapes_root / 'JPEGImages'), str(files / 'detector.xml'), '-o',
                   str(tmp_path / 'out'), '--no-pictures']) == 0
    said = capsys.readouterr().out
    assert 'detections in 34 images' in said and 'images a second' in said
    names = [image['file_name'] for image in json.loads(
        (tmp_path / 'out/detections.json').read_text())['images']]
    assert names == sorted(names)

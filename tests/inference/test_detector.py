"""A checkpoint alone is a detector, and its config is read as data."""

import pickle
import re
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from PIL import Image

from frcnn_plugin import Detector
from frcnn_plugin.commands.test import test as run_test
from frcnn_plugin.config.initialisation import drop_initialisation
from frcnn_plugin.config.text import read_config_text
from frcnn_plugin.errors import UserError
from frcnn_plugin.inference.carried_config import check_types
from frcnn_plugin.inference.file_detector import run_network
from frcnn_plugin.inference.images import read_image
from frcnn_plugin.io.weights_only import load_weights_only


@pytest.fixture
def checkpoint(checkpoint):
    return Path(checkpoint)


def test_it_finds_what_the_test_finds(checkpoint, small, shapes_root, tmp_path):
    out = tmp_path / 'found.pkl'
    arguments = small('--out', str(out))
    run_test([arguments[0], str(checkpoint), *arguments[1:],
              'model.rpn_head.feat_channels=32',
              'model.roi_head.bbox_head.fc_channels=[32,32]'])
    detector = Detector(checkpoint, device='cpu')
    assert detector.classes == ('circle', 'square', 'triangle', 'star')
    expected = pickle.loads(out.read_bytes())
    images = [entry['img_path'] for entry in expected]
    for entry, found in zip(expected, detector(images, batch_size=4), strict=True):
        theirs = entry['pred_instances']
        order = np.argsort(-np.asarray(theirs['scores']), kind='stable')
        assert len(found) == len(order) > 0
        np.testing.assert_allclose(found.scores, np.asarray(theirs['scores'])[order],
                                   atol=1e-4)
        np.testing.assert_allclose(found.boxes[0],
                                   np.asarray(theirs['bboxes'])[order[0]], atol=1e-2)
        assert Counter(found.labels.tolist()) == Counter(
            np.asarray(theirs['labels']).tolist())
    best = found.above(float(found.scores[2]))
    assert 3 <= len(best) < len(found) and best.names[0] in detector.classes


def test_paths_arrays_and_pil_images_are_one(checkpoint, shapes_root):
    detector = Detector(checkpoint, device='cpu')
    path = next((shapes_root / 'JPEGImages').glob('*.jpg'))
    one = detector(path)
    for image in (str(path), cv2.imread(str(path)), Image.open(path)):
        np.testing.assert_array_equal(read_image(image), read_image(path))
        np.testing.assert_allclose(one.scores, detector(image).scores, atol=1e-5)
    for wrong, says in (('/nowhere.jpg', 'no such image'), (3, 'a int'),
                        (np.zeros((4, 4)), r'float64 \(4, 4\)'),
                        (checkpoint, 'not a readable image')):
        with pytest.raises(UserError, match=says):
            detector(wrong)


def changed(checkpoint, text):
    content = load_weights_only(checkpoint)
    content['meta']['cfg'] = text
    path = checkpoint.with_name('changed.pth')
    torch.save(content, path)
    return path


@pytest.mark.parametrize('line', [
    'import os', 'x = __import__("os").system("true")', 'model = dict(**open("a"))',
    'model = [i for i in range(3)]', 'f"{1}"', 'model: int = 3', 'x = y = 3',
    'model = dict(', 'def f(): pass', 'x = "a" + "b"'])
def test_a_config_in_a_checkpoint_is_never_run(checkpoint, line):
    with pytest.raises(UserError, match='is more than plain values'):
        Detector(changed(checkpoint, line))


@pytest.mark.parametrize('kind', ['os.system', 'builtins.print', 'mmengine.load', 3,
                                  'mmdet.os.system', 'print(1) or nms', 'Nothing',
                                  'CameraMotionCompensation', 'CheckpointHook'])
def test_its_components_are_registered_ones(kind):
    with pytest.raises(UserError, match='is not an allowed component'):
        check_types(dict(model=dict(neck=[dict(type=kind)])), 'a.pth')
    with pytest.raises(UserError, match='is not an allowed component'):
        check_types(dict(type='FasterRCNN', neck=dict(type='FPN', _scope_='evil')), 'a')
    check_types(dict(type='FasterRCNN', neck=dict(type='mmdet.FPN')), 'a.pth')


def test_every_config_comes_back_from_its_text(repo):
    from mmengine.config import Config
    for path in sorted([*(repo / 'configs').glob('*.py'),
                        *(repo / 'configs/peers').glob('*.py')]):
        cfg = Config.fromfile(path)
        values = read_config_text(cfg.pretty_text, path.name)
        assert Config(values)._cfg_dict == cfg._cfg_dict, path.name
        drop_initialisation(cfg)
        check_types([cfg.model, cfg.test_dataloader.dataset.pipeline], path.name)


def test_a_checkpoint_without_a_config(checkpoint, repo, tmp_path):
    content = load_weights_only(checkpoint)
    path = tmp_path / 'bare.pth'
    torch.save(dict(state_dict=content['state_dict']), path)
    with pytest.raises(UserError, match='contains no config'):
        Detector(path)
    with pytest.raises(UserError, match='does not fit the config'):
        Detector(path, repo / 'configs/frcnn_r18_c4_shapes.py')
    with pytest.raises(UserError, match='an incomplete config'):
        Detector(changed(checkpoint, 'a = 3'))


def test_a_scope_of_its_own_is_not_imported(checkpoint, tmp_path, monkeypatch):
    (tmp_path / 'evil').mkdir()
    (tmp_path / 'evil/__init__.py').write_text('raise SystemExit("imported")')
    monkeypatch.syspath_prepend(str(tmp_path))
    content = load_weights_only(checkpoint)
    text, count = re.subn(r"default_scope *= *'frcnn_plugin'", "default_scope='evil'",
                          content['meta']['cfg'])
    assert count == 1
    Detector(changed(checkpoint, text))


@pytest.mark.parametrize('kind', ['FileModel', 'TiledModel'])
def test_a_part_that_reads_files_is_refused(checkpoint, kind):
    text, count = re.subn(r"type='ResNetC4'", f"type='{kind}', file='other.xml'",
                          load_weights_only(checkpoint)['meta']['cfg'])
    assert count
    with pytest.raises(UserError, match=kind):
        Detector(changed(checkpoint, text))


def test_names_and_devices_that_do_not_fit(checkpoint):
    with pytest.raises(UserError, match='has 4 classes, but 2 names'):
        Detector(checkpoint, classes=('a', 'b'))
    with pytest.raises(UserError, match='device gpu: cannot be used'):
        Detector(checkpoint, device='gpu')


def test_a_detector_that_needs_proposals(checkpoint, repo):
    with pytest.raises(UserError, match='has no RPN'):
        Detector(checkpoint, repo / 'configs/fast_rcnn_r50_c4_voc.py')


def test_boxes_of_a_file_are_in_pixels_of_the_picture():
    """Of one that is exported without the resizing, as the command does."""
    notes = dict(resize_inside=False, resize=dict(
        scale=(80, 60), scale_factor=None, keep_ratio=False))

    def network(inputs):
        assert inputs.shape == (2, 3, 60, 80) and inputs.dtype == np.float32
        return dict(bboxes=np.float32([[8, 6, 40, 30], [0, 0, 80, 60]]),
                    scores=np.float32([0.9, 0.8]), labels=np.int64([1, 0]),
                    index=np.int64([0, 1]))
    first, second = run_network(network, notes, np.zeros((2, 120, 320, 3), np.uint8))
    assert first[0].tolist() == [[32, 12, 160, 60]] and first[2].tolist() == [1]
    assert second[0].tolist() == [[0, 0, 320, 120]]


def test_boxes_scores_and_labels_are_sorted_alike(checkpoint, monkeypatch):
    detector = Detector(checkpoint, device='cpu')
    found = DetDataSample(pred_instances=InstanceData(
        bboxes=torch.tensor([[1.0, 2, 3, 4], [5, 6, 7, 8]]),
        scores=torch.tensor([0.2, 0.9]), labels=torch.tensor([0, 1])))
    monkeypatch.setattr(detector.model, 'test_step', lambda data: [found])
    sorted_ = detector(np.zeros((64, 64, 3), np.uint8))
    assert sorted_.scores.tolist() == pytest.approx([0.9, 0.2])
    assert sorted_.labels.tolist() == [1, 0]
    assert sorted_.boxes.tolist() == [[5, 6, 7, 8], [1, 2, 3, 4]]


def test_a_picture_that_is_too_narrow(checkpoint, tmp_path):
    text = load_weights_only(checkpoint)['meta']['cfg']
    config = tmp_path / 'config.py'
    config.write_text(re.sub(r'scale_factor=1.0', 'scale=(100, 60), keep_ratio=True',
                             text))
    detector = Detector(checkpoint, config, device='cpu')
    with pytest.raises(UserError, match='3000x1 pixels: cannot be resized'):
        detector(np.zeros((1, 3000, 3), np.uint8))

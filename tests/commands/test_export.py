"""A file for other programs, which detects what the checkpoint does."""

import json
import shutil
import subprocess
import sys
from types import SimpleNamespace
from zipfile import ZipFile

import numpy as np
import onnxruntime
import pytest
import torch
from helpers import make_samples, put_points, tiny_detector
from torch.export import Dim

from frcnn_plugin.commands.export import export
from frcnn_plugin.errors import UserError
from frcnn_plugin.export import GraphDetector, save_onnx
from frcnn_plugin.inference.images import resize_image, resized_shape
from frcnn_plugin.io.weights_only import load_weights_only
from frcnn_plugin.registry import MODELS

PREPARE = dict(type='DetDataPreprocessor', mean=[100.0, 110.0, 120.0], bgr_to_rgb=True,
               std=[50.0, 60.0, 70.0], pad_size_divisor=32)


@pytest.mark.long
def test_a_file_that_detects_something_else_is_told(checkpoint, shapes_root, tmp_path,
                                                    monkeypatch, capsys):
    from frcnn_plugin.commands import export as module
    runner_of = module.runner_of

    def other(path):
        run = runner_of(path)
        return lambda inputs: [part + 0.01 for part in run(inputs)]
    monkeypatch.setattr(module, 'runner_of', other)
    told = put_points(checkpoint, tmp_path / 'told.pth', dict.fromkeys(
        ('circle', 'square', 'triangle', 'star'), 0.7))
    content = load_weights_only(told)
    content['meta']['cfg'] += '\ntiles = 96\n'
    torch.save(content, told)
    assert export([told, '--to', 'torch-export', '-o', str(tmp_path / 'a.pt2'),
                   '--check', *(str(shapes_root / f'JPEGImages/test_0000{i}.jpg')
                                for i in range(2))]) == 1
    printed = capsys.readouterr().out
    assert 'differ by more than 0.001' in printed
    assert 'test_00000.jpg' in printed and 'test_00001.jpg' in printed
    with ZipFile(tmp_path / 'a.pt2') as file:  # torch.export.load takes long
        name, = [name for name in file.namelist() if name.endswith('frcnn_plugin')]
        notes = json.loads(file.read(name))
    assert notes['operating_points']['thresholds']['star'] == 0.7
    assert notes['classes'] == ['circle', 'square', 'triangle', 'star']
    assert notes['tiles'] == 96


def pyramid():
    """A small detector with several levels."""
    cfg = tiny_detector(
        backbone=dict(type='mmdet.ResNet', depth=18, num_stages=2, strides=(1, 2),
                      dilations=(1, 1), out_indices=(0, 1), norm_eval=True),
        neck=dict(type='mmdet.FPN', in_channels=[64, 128], out_channels=64,
                  num_outs=2), data_preprocessor=PREPARE)
    cfg.rpn_head.in_channels = 64
    cfg.rpn_head.anchor_generator = dict(
        type='AnchorGenerator', strides=[4, 8], ratios=[0.5, 1.0, 2.0], scales=[8])
    cfg.rpn_head.loss_cls = dict(type='CrossEntropyLoss', use_sigmoid=True)
    cfg.roi_head.pop('shared_head')
    cfg.roi_head.bbox_roi_extractor = dict(
        type='RoIPoolExtractor', out_channels=64, featmap_strides=[4, 8],
        roi_layer=dict(type='RoIAlign', output_size=7, sampling_ratio=2))
    cfg.roi_head.bbox_head = dict(
        type='BBoxHead', num_classes=3, in_channels=64, roi_feat_size=7,
        fc_channels=[64])
    return MODELS.build(cfg).eval()


@pytest.mark.long
def test_pictures_of_any_size(tmp_path):
    """Of one level, with RoIPool: tests/inference/test_file_detector.py."""
    detector = pyramid()
    save_onnx(GraphDetector(detector), tmp_path / 'model.onnx', dict(classes=['a']))
    session = onnxruntime.InferenceSession(str(tmp_path / 'model.onnx'))
    notes = json.loads(session.get_modelmeta().custom_metadata_map['frcnn_plugin'])
    assert notes == dict(classes=['a'])
    names = [part.name for part in session.get_outputs()]
    assert names == ['boxes', 'scores', 'labels', 'index']
    for size in ((128, 160), (97, 333), (48, 40)):
        image = torch.randint(256, (3, *size))
        sample, = make_samples((1,), size=size)
        data = detector.data_preprocessor(dict(inputs=[image], data_samples=[sample]))
        with torch.no_grad():
            expected, = detector.predict(
                data['inputs'], data['data_samples'], rescale=False)
        image = image[None].float().numpy()
        *found, index = session.run(None, dict(image=image))
        assert len(found[0]) > 0
        twice = session.run(None, dict(image=np.concatenate([image, image])))
        np.testing.assert_array_equal(twice[3], [*index, *(index + 1)])
        np.testing.assert_allclose(twice[1], np.tile(found[1], 2), atol=1e-3)
        for mine, name in zip(found, ('bboxes', 'scores', 'labels'), strict=True):
            np.testing.assert_allclose(
                mine, expected.pred_instances[name].numpy(), atol=1e-3)


class Resizing(torch.nn.Module):
    """What comes first in a file with ``--with-resize``, in the usual way of mmdet."""

    resize = dict(scale=(150, 100), keep_ratio=True)
    forward = GraphDetector.resized


def test_symbols_are_resized_as_pictures():
    side = Dim.DYNAMIC(min=32)
    program = torch.export.export(
        Resizing(), (torch.zeros(2, 320, 416, 3, dtype=torch.uint8),),
        dynamic_shapes=dict(image={0: Dim.DYNAMIC, 1: side, 2: side})).module()
    for height, width in ((96, 128), (333, 250), (40, 500), (101, 151)):
        picture = np.random.randint(256, size=(height, width, 3), dtype=np.uint8)
        found, factors = program(torch.from_numpy(picture)[None])
        down, across = new = resized_shape(height, width, Resizing.resize)
        np.testing.assert_allclose(found[0].permute(1, 2, 0),
                                   resize_image(picture, *new), atol=1)
        np.testing.assert_allclose(factors, [across / width, down / height] * 2,
                                   rtol=1e-6)


def test_heads_of_mmdet_are_refused(checkpoint, monkeypatch):
    monkeypatch.delattr(MODELS.get('RoIHead'), 'predict_regions')
    with pytest.raises(UserError, match=r'cannot be exported: .* not a head of frcnn'):
        export([checkpoint, '--to', 'onnx'])


def test_what_is_not_installed(checkpoint, monkeypatch):
    from frcnn_plugin.commands import export as module
    monkeypatch.setattr(module, 'find_spec', lambda name: None)
    with pytest.raises(UserError, match='pip install onnx onnxscript onnxruntime'):
        export([checkpoint, '--to', 'onnx'])


def test_another_ending(checkpoint):
    with pytest.raises(UserError, match=r'ends with \.onnx'):
        export([checkpoint, '--to', 'onnx', '-o', 'model.pt'])


@pytest.mark.parametrize('tiles', [None, 96])
def test_what_8_bits_are_adjusted_to(shapes_root, tiles):
    """The tiles that a detector is given, if it was trained on such."""
    from frcnn_plugin.commands.export import read_pictures
    found = read_pictures(
        SimpleNamespace(calibrate=shapes_root, split='val'),
        SimpleNamespace(classes=('circle', 'square', 'triangle', 'star'), tiles=tiles))
    assert len(found) > 4 if tiles else len(found) == 4
    for picture in found:
        _, height, width, _ = picture.read().shape
        assert max(height, width) == (tiles or max(height, width))
        assert len(picture.bboxes) and (picture.bboxes >= 0).all()
        assert (picture.bboxes <= [width, height] * 2).all()


def test_the_tiles_of_a_picture_are_in_one_half():
    from frcnn_plugin.export.quantize import MOST, Picture, halves
    pictures = [Picture(f'{name}.jpg', *[None] * 3, (tile, 0, tile + 9, 9))
                for name in range(5) for tile in range(200)]
    fit, check = halves(pictures)
    assert {each.path for each in fit} == {'0.jpg', '2.jpg', '4.jpg'}
    assert {each.path for each in check} == {'1.jpg', '3.jpg'}
    assert all(MOST / 2 < len(part) <= MOST for part in (fit, check))
    alone = [Picture(f'{name}.jpg', *[None] * 3) for name in range(5)]
    assert halves(alone) == (alone[::2], alone[1::2])


@pytest.mark.long
def test_training_needs_no_openvino():
    code = ("import sys; sys.modules['openvino'] = None; import frcnn_plugin;"
            "from mmdet.registry import MODELS; MODELS.get('frcnn_plugin.RPNHead')")
    subprocess.run([sys.executable, '-c', code], check=True)


def test_other_steps_of_a_pipeline_are_refused(checkpoint, tmp_path):
    text = load_weights_only(checkpoint)['meta']['cfg']
    for step, says in (("scale_factor=1.0, interpolation='nearest'", 'nearest'),
                       ("scale_factor=1.0, type='Resize'), dict(size_divisor=32, "
                        "type='Pad'), dict(scale_factor=1.0", 'Pad')):
        config = tmp_path / 'config.py'
        config.write_text(text.replace('scale_factor=1.0', step))
        with pytest.raises(UserError, match=f'(?s)pipeline of this .*{says}'):
            export([str(config), checkpoint, '--to', 'torch-export'])


def test_8_bits_need_pictures(checkpoint, tmp_path, shapes_root):
    out = ['-o', str(tmp_path / 'a.xml')]
    for words, says in (
            (['--to', 'onnx', '--int8', '--calibrate', 'a'], 'needs --to openvino'),
            (['--to', 'openvino', '--int8'], 'with --calibrate DIR'),
            (['--to', 'openvino', '--int8', '--calibrate', 'a', '--check', 'b'],
             'what has to be equal')):
        with pytest.raises(UserError, match=says):
            export([checkpoint, *words, *out])


def test_no_weights_are_written_over(checkpoint, tmp_path):
    """OpenVINO puts a .bin beside its .xml, and a checkpoint may be called so."""
    path = tmp_path / 'pytorch_model.bin'
    shutil.copyfile(checkpoint, path)
    before = path.read_bytes()
    with pytest.raises(UserError, match=f'{path} would be written over'):
        export([str(path), '--to', 'openvino'])
    assert path.read_bytes() == before

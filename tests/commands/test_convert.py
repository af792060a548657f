"""``frcnn convert``: what it writes, and what it refuses."""

import json
import os
import pickle
import re
from functools import cache

import pytest
import torch
from mmengine.config import Config
from mmengine.hub import get_config
from mmengine.registry import DefaultScope
from peers import STORED
from peers.random_weights import random_state
from torchvision.models.detection import fasterrcnn_resnet50_fpn

from frcnn_plugin.commands.convert import convert
from frcnn_plugin.errors import UserError
from frcnn_plugin.interop.configure import build


def run(tmp_path, content, *options: str, name: str = 'theirs.pth') -> dict:
    """Save, convert, and load what came out."""
    source, out = tmp_path / name, tmp_path / 'new.pth'
    if content is not None:
        torch.save(content, source)
    convert([str(source), '-o', str(out), '--overwrite', *options])
    content = torch.load(out)
    return content.get('state_dict', content)


def ours(repo, name: str) -> dict:
    return build(Config.fromfile(repo / f'configs/{name}.py')).state_dict()


def same(a: dict, b: dict) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def shapes_of(name: str) -> dict:
    return json.loads((STORED / f'{name}.json').read_text())['shapes']


@cache
def detectron2() -> dict:
    return random_state(shapes_of('detectron2_r50_fpn'))


@pytest.mark.parametrize('name', [
    'frcnn_r50_c4_voc', 'frcnn_r50_c4_coco', 'frcnn_r50_fpn_voc'])
def test_to_mmdet_and_back_no_bit_changes(repo, tmp_path, name):
    state = ours(repo, name)
    theirs = run(tmp_path, dict(state_dict=state), '--to', 'mmdet')
    assert theirs.keys() != state.keys()
    back = run(tmp_path, None, '--config', str(repo / f'configs/{name}.py'),
               name='new.pth')
    assert same(back, state)


def test_mmdets_own_detector_takes_all_of_it(repo, tmp_path):
    theirs = run(tmp_path, dict(state_dict=ours(repo, 'frcnn_r50_c4_coco')),
                 '--to', 'mmdet')
    cfg = get_config('mmdet::faster_rcnn/faster-rcnn_r50-caffe_c4-1x_coco.py').model
    with DefaultScope.overwrite_default_scope('mmdet'):
        from mmdet.registry import MODELS
        MODELS.build(cfg).load_state_dict(theirs)


def test_torchvision_and_back_no_bit_changes(tmp_path):
    peer = fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None, num_classes=5)
    state = peer.state_dict()
    mine = run(tmp_path, state, '--classes', 'a', 'b', 'c', 'd')
    cfg = Config.fromfile(tmp_path / 'new.py')
    assert cfg.test_dataloader.dataset.metainfo.classes == ('a', 'b', 'c', 'd')
    assert cfg.load_from == str(tmp_path / 'new.pth')
    build(cfg).load_state_dict(mine)
    back = run(tmp_path, None, '--to', 'torchvision', name='new.pth')
    assert same(back, state)
    peer.load_state_dict(back)


def test_ours_without_background_deltas_to_torchvision(repo, tmp_path):
    theirs = run(tmp_path, dict(state_dict=ours(repo, 'frcnn_r50_fpn_voc')),
                 '--to', 'torchvision')
    fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None,
                            num_classes=21).load_state_dict(theirs)


def test_a_deeper_network_and_coco(tmp_path):
    cfg = get_config('mmdet::faster_rcnn/faster-rcnn_r101_fpn_1x_coco.py').model
    cfg.backbone.init_cfg = None
    with DefaultScope.overwrite_default_scope('mmdet'):
        from mmdet.registry import MODELS
        state = MODELS.build(cfg).state_dict()
    run(tmp_path, dict(state_dict=state, meta={}), '--data', 'coco')
    cfg = Config.fromfile(tmp_path / 'new.py')
    assert cfg.model.backbone.depth == 101
    assert cfg.test_dataloader.dataset.type == 'CocoFolder'
    assert cfg.test_dataloader.dataset.metainfo.classes[-1] == 'toothbrush'


def test_the_style_comes_from_the_checkpoint_or_the_command(tmp_path):
    state = random_state(shapes_of('detectron2_r50_c4'))
    for option, style, mean in ((), 'caffe', 103.53), (
            ('--style', 'pytorch'), 'pytorch', 123.675):
        run(tmp_path, dict(model=state), *option, '--classes', *'abcdef')
        model = Config.fromfile(tmp_path / 'new.py').model
        assert model.backbone.style == model.roi_head.shared_head.style == style
        assert model.data_preprocessor.mean[0] == mean


def test_detectron2s_pickle_of_arrays(tmp_path):
    state = detectron2()
    arrays = {name: value.numpy() for name, value in state.items()}
    arrays['proposal_generator.anchor_generator.cell_anchors.0'] = arrays[
        'proposal_generator.rpn_head.conv.bias'][:12].reshape(3, 4)
    (tmp_path / 'model_final.pkl').write_bytes(pickle.dumps(
        dict(model=arrays, __author__='somebody')))
    found = run(tmp_path, None, '--classes', *'abcdef', name='model_final.pkl')
    assert torch.equal(found['backbone.conv1.weight'],
                       state['backbone.bottom_up.stem.conv1.weight'])


def test_equal_names_are_told_apart_by_what_is_beside_them(tmp_path):
    shapes = shapes_of('simple_vgg16')
    large = {name for name in shapes if 'classifier' in name}  # half a gigabyte
    state = {name: torch.zeros(()).expand(shapes[name]) for name in large}
    state.update(random_state({
        name: shape for name, shape in shapes.items() if name not in large}))
    with pytest.raises(UserError, match='--source simple_vgg16 or bubbliiiing_vgg16'):
        run(tmp_path, state)
    simple = run(tmp_path, dict(model=state, vis_info={}), '--classes', *'abcdef')
    other = run(tmp_path, state, '--source', 'bubbliiiing_vgg16', '--classes',
                *'abcdef')
    assert not torch.equal(simple['rpn_head.rpn_reg.weight'],
                           other['rpn_head.rpn_reg.weight'])  # (dy, dx) and (dx, dy)
    assert torch.equal(simple['rpn_head.rpn_cls.weight'],
                       other['rpn_head.rpn_cls.weight'])


class Touch:
    """Creates a file when it is unpickled by a loader that runs code."""

    def __init__(self, path) -> None:
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def detectron2_with(tmp_path, extra) -> dict:
    return {**detectron2(), **extra}


REFUSED = {
    'unknown': (lambda path: {'a.weight': torch.zeros(2), 'b': torch.zeros(3)},
                'not a known Faster R-CNN; its 2 tensors begin with a.weight'),
    'a mask head': (lambda path: dict(model=detectron2_with(path, {
        'roi_heads.mask_head.x.weight': torch.zeros(1)})),
        'have no place in detectron2 R50-FPN: roi_heads.mask_head.x.weight'),
    'other anchors': (lambda path: dict(model=detectron2_with(path, {
        'proposal_generator.rpn_head.objectness_logits.bias': torch.zeros(9)})),
        'another one can be given with --config'),
    'the wrong shape': (lambda path: dict(model=detectron2_with(path, {
        'backbone.bottom_up.stem.conv1.weight': torch.zeros(32, 3, 7, 7)})),
        'tensors have the wrong shape'),
    'one that is missing': (lambda path: dict(model={
        name: value for name, value in detectron2_with(path, {}).items()
        if 'fpn_output5.weight' not in name}), '1 tensors are missing'),
    'no tensors': (lambda path: [1, 2], 'it is not a checkpoint'),
    'code': (lambda path: dict(model={'x': Touch(path / 'touched')}),
             'refused, it holds more than weights'),
}


@pytest.mark.parametrize('name', list(REFUSED))
def test_refused_in_one_line_and_nothing_is_written(tmp_path, name):
    content, message = REFUSED[name]
    source = tmp_path / 'in' / 'theirs.pth'
    source.parent.mkdir()
    torch.save(content(tmp_path), source)
    with pytest.raises(UserError) as caught:
        convert([str(source), '-o', str(tmp_path / 'new.pth'),
                 '--classes', *'abcdef'])
    text = str(caught.value)
    assert message in text and str(source) in text and '\n' not in text
    assert [path.name for path in tmp_path.iterdir()] == ['in']


def test_code_in_a_pickle_is_refused(tmp_path):
    source = tmp_path / 'model.pkl'
    source.write_bytes(pickle.dumps(dict(model={'x': Touch(tmp_path / 'touched')})))
    with pytest.raises(UserError, match='could run code'):
        convert([str(source), '-o', str(tmp_path / 'new.pth')])
    assert [path.name for path in tmp_path.iterdir()] == ['model.pkl']


def test_mistakes(repo, tmp_path):
    state = ours(repo, 'frcnn_vgg16_voc')
    state = {name: value if value.numel() < 2**23 else torch.zeros(()).expand(
        value.shape) for name, value in state.items()}  # else half a gigabyte
    source, out = tmp_path / 'ours.pth', tmp_path / 'new.pth'
    torch.save(state, source)
    for options, message in (
            ((), 'has our names already'),
            (('--to', 'torchvision'), 'torchvision has Faster R-CNN only on an FPN'),
            (('--to', 'mmdet'), r"have no place in mmdet's FasterRCNN: backbone\.feat"),
            (('-o', str(tmp_path / 'x.bin')), 'is a .pth file'),
            (('-o', str(source)), 'exists already; --overwrite')):
        with pytest.raises(UserError, match=message):
            convert([str(source), '-o', str(out), *options])
    assert not out.exists()
    torch.save(random_state(shapes_of('bubbliiiing_r50')), source)
    with pytest.raises(UserError, match='has 6 classes and does not name them'):
        convert([str(source), '-o', str(out)])
    with pytest.raises(UserError, match='has 6 classes, but 2 names'):
        convert([str(source), '-o', str(out), '--classes', 'a', 'b'])


def test_torchvisions_published_weights(tmp_path):
    peer = fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None, num_classes=91)
    mine = run(tmp_path, peer.state_dict(), '--norm-eps', '0')
    assert torch.equal(mine['backbone.bn1.running_var'],
                       peer.backbone.body.bn1.running_var - 1e-5)
    data = Config.fromfile(tmp_path / 'new.py').test_dataloader.dataset
    names = data.metainfo.classes
    assert (names[0], names[11], names[-1]) == ('person', 'unused 12', 'toothbrush')


def test_torchvisions_older_names(tmp_path):
    """Those of the weights that it publishes."""
    state = fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None,
                                    num_classes=91).state_dict()
    older = {re.sub(r'(_blocks\.\d)\.0\.', r'\1.', name.replace(
        'head.conv.0.0.', 'head.conv.')): value for name, value in state.items()}
    assert {'rpn.head.conv.weight', 'backbone.fpn.inner_blocks.0.weight'} <= {*older}
    assert same(run(tmp_path, older), run(tmp_path, state))


def test_what_mmdet_2_says_of_a_checkpoint(tmp_path):
    """Its classes and its style are elsewhere in ``meta``."""
    state = random_state(shapes_of('detectron2_r50_c4'))
    names = tuple('abcdef')
    for meta in (dict(CLASSES=names, config="dict(style='caffe')"),
                 dict(dataset_meta=dict(CLASSES=names), cfg='style="caffe"')):
        run(tmp_path, dict(state_dict=state, meta=meta))
        cfg = Config.fromfile(tmp_path / 'new.py')
        assert tuple(cfg.test_dataloader.dataset.metainfo.classes) == names
        assert cfg.model.backbone.style == 'caffe'

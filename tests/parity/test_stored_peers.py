"""Code bases that are not on the package index, by what they said of the same weights.

The numbers in ``tools/peers/stored/`` are theirs, made by ``tools/store_numbers.py``.
"""

import json
from types import SimpleNamespace

import pytest
import torch
from helpers import make_samples
from peers import STORED
from peers.matching import detection_partners
from peers.random_weights import random_images, random_state

from frcnn_plugin.interop import PEERS
from frcnn_plugin.interop.configure import build, peer_config

LONG = ('bubbliiiing_r50', 'detectron2_r50_c4')  # make test compares their others


@pytest.fixture(scope='module', params=[
    pytest.param(path, id=path.stem, marks=[pytest.mark.long] * (path.stem in LONG))
    for path in sorted(STORED.glob('*.json'))])
def stored(request):
    return request.param.stem, json.loads(request.param.read_text())


@pytest.fixture(scope='module')
def ours(stored):
    name, numbers = stored
    (peer,) = (peer for peer in PEERS if peer.config == name)
    state = peer.to_ours(random_state(
        numbers['shapes'], numbers['gains'], numbers['biases']))
    num_classes = len(state['roi_head.bbox_head.fc_cls.bias']) - 1
    cfg = peer_config(peer, state, [f'class {i}' for i in range(num_classes)], None,
                      'voc')
    if 'detectron2' in name:  # as many as were asked for there
        cfg.model.rpn_head.proposal_creator.test.max_per_img = 300
    with pytest.MonkeyPatch.context() as patch:
        for layer in (torch.nn.Linear, torch.nn.Conv2d):  # all weights are replaced
            patch.setattr(layer, 'reset_parameters', lambda self: None)
        net = build(cfg)
    net.load_state_dict(state, assign=True)
    return net.eval()


def test_detections(stored, ours, compare):
    _, numbers = stored
    size = tuple(numbers['size'])
    with torch.no_grad():
        (found,) = ours.predict(
            random_images(size), make_samples((1,), size=size), rescale=False)
    expected = SimpleNamespace(**{
        name: torch.tensor(numbers[name]) for name in ('bboxes', 'scores', 'labels')})
    assert len(expected.labels.unique()) > 2
    boxes, scores = detection_partners(found.pred_instances, expected)
    compare('boxes of detections, pixels', *boxes, atol=1e-2)
    compare('scores of detections', *scores, atol=1e-4)


def test_pixels(stored, ours, compare):
    _, numbers = stored
    bgr = torch.tensor(numbers['rgb'], dtype=torch.uint8).T[:, None].flip(0)
    data = ours.data_preprocessor(dict(
        inputs=[bgr], data_samples=make_samples((0,), size=(1, 2))))
    compare('pixels', data['inputs'][0][:, :1, :2], numbers['pixels'], atol=2e-5)

"""The configs of the peers, and whose checkpoint is recognised as whose."""

import json

import pytest
import torch
from mmengine.config import Config
from peers import STORED

from frcnn_plugin.config.files import OWN_CONFIGS
from frcnn_plugin.errors import UserError
from frcnn_plugin.interop import PEERS, recognise
from frcnn_plugin.interop.configure import build


@pytest.mark.parametrize('path', sorted((OWN_CONFIGS / 'peers').glob('*.py')),
                         ids=lambda path: path.stem)
def test_every_config_builds(path):
    cfg = Config.fromfile(path)
    assert build(cfg).roi_head.bbox_head.num_classes == 20
    assert cfg.train_dataloader.dataset.type == 'VOCFolder'


def test_every_peer_has_a_config_and_is_in_the_docs(repo):
    text = (repo / 'docs' / 'interop.md').read_text()
    for peer in PEERS:
        assert (OWN_CONFIGS / 'peers' / f'{peer.config}.py').is_file()
        assert f'`{peer.config}`' in text, peer.config


@pytest.mark.parametrize('path', sorted(STORED.glob('*.json')),
                         ids=lambda path: path.stem)
def test_each_is_recognised_by_its_names(path):
    names = dict.fromkeys(json.loads(path.read_text())['shapes'])
    found = [peer.config for peer in recognise(names)]
    vgg = ['simple_vgg16', 'bubbliiiing_vgg16']  # the same names
    assert found == (vgg if path.stem in vgg else [path.stem])


def test_a_name_without_a_place_is_told():
    peer = next(peer for peer in PEERS if peer.config == 'mmdet_r50_fpn')
    state = {'backbone.conv1.weight': torch.zeros(1), 'mask_head.a': torch.zeros(1),
             'roi_head.bbox_head.fc_iou.bias': torch.zeros(1)}
    with pytest.raises(UserError, match=r'2 tensors have no place in mmdet R50-FPN: '
                                        r'mask_head\.a, roi_head\.bbox_head\.fc_iou'):
        peer.to_ours(state)

"""``frcnn test --recall``: of an RPN, and of proposals from a file."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from frcnn_plugin.commands.test import test as run_test
from frcnn_plugin.commands.train import train
from frcnn_plugin.datasets import VOCFolder
from frcnn_plugin.errors import UserError
from frcnn_plugin.prepare.shapes import CLASSES


def test_of_an_rpn(small, tmp_path, capsys):
    train(small('--max-iters', '2', '--seed', '0'))
    arguments = small('--recall')
    summary = run_test([arguments[0], str(tmp_path / 'run/iter_2.pth'), *arguments[1:]])
    found = summary['recall']
    assert 0 < found['proposals/recall50@50'] <= found['proposals/recall50@2000'] <= 1
    assert found['proposals/recall70@2000'] <= found['proposals/recall50@2000']
    # 10 x 8 positions with 3 scales and 3 ratios, after suppression
    assert 50 < found['proposals/per_image'] <= 720
    written = json.loads((tmp_path / 'run/proposal_recall.json').read_text())
    assert written == summary and 'Recall' in capsys.readouterr().out


def test_an_rpn_needs_its_checkpoint(small):
    with pytest.raises(UserError, match='need its checkpoint'):
        run_test(small('--recall'))


def test_of_a_file_without_a_network(small, shapes_root, tmp_path):
    """Its ground truth as proposals, and noise before it."""
    data = VOCFolder(str(shapes_root), split='test', test_mode=True,
                     metainfo=dict(classes=CLASSES))
    entries = {}
    for info in map(data.get_data_info, range(len(data))):
        gt = np.float32([item['bbox'] for item in info['instances']]).reshape(-1, 4)
        bboxes = np.concatenate([np.tile(np.float32([[0, 0, 1, 1]]), (50, 1)), gt])
        entries[f'JPEGImages/{Path(info["img_path"]).name}'] = dict(
            bboxes=bboxes, scores=np.linspace(1, 0, len(bboxes), dtype=np.float32))
    (tmp_path / 'proposals.pkl').write_bytes(pickle.dumps(entries))
    summary = run_test([
        *small('--recall', '--split', 'test', config='fast_rcnn_r50_c4_voc'),
        f'test_dataloader.dataset.proposal_file={tmp_path / "proposals.pkl"}',
        'model.roi_head.bbox_head.num_classes=4',
        'test_dataloader.dataset.metainfo.classes=circle,square,triangle,star'])
    found = summary['recall']
    assert found['proposals/recall50@50'] == 0
    assert found['proposals/recall50@300'] == found['proposals/recall70@2000'] == 1

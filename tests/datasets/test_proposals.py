import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from mmdet.datasets import BaseDetDataset
from mmdet.evaluation import DumpProposals
from mmengine.structures import InstanceData

from frcnn_plugin.datasets import VOCFolder
from frcnn_plugin.errors import UserError
from frcnn_plugin.prepare.shapes import CLASSES

LOAD = [dict(type='LoadImageFromFile'),
        dict(type='LoadProposals', num_max_proposals=2000),
        dict(type='LoadAnnotations', with_bbox=True)]
PACK = dict(type='PackDetInputs', meta_keys=('img_path', 'scale_factor', 'flip'))


def load(root, split='train', **kwargs):
    return VOCFolder(str(root), split=split, metainfo=dict(classes=CLASSES),
                     allow_missing_classes=True, **kwargs)


def boxes_of(info: dict) -> np.ndarray:
    return np.float32([item['bbox'] for item in info['instances']]).reshape(-1, 4)


def entries(root, *splits: str) -> dict[str, dict]:
    """The ground truth as proposals."""
    found = {}
    for split in splits:
        data = load(root, split, test_mode=True)
        for info in map(data.get_data_info, range(len(data))):
            bboxes = boxes_of(info)
            scores = np.linspace(1, 0, len(bboxes), dtype=np.float32)
            found[f'JPEGImages/{Path(info["img_path"]).name}'] = dict(
                bboxes=bboxes, scores=scores)
    return found


@pytest.fixture
def write(tmp_path):
    """Write a file of proposals."""

    def write_file(content, name: str = 'p.pkl') -> str:
        (tmp_path / name).write_bytes(pickle.dumps(content))
        return str(tmp_path / name)

    return write_file


def test_one_file_serves_several_splits(shapes_root, write):
    path = write(entries(shapes_root, 'train', 'val'))
    for split, count in (('train', 24), ('val', 4)):
        data = load(shapes_root, split, proposal_file=path)
        assert len(data) == count
        for info in map(data.get_data_info, range(count)):
            assert np.array_equal(info['proposals']['bboxes'], boxes_of(info))
            assert type(info['proposals']['bboxes']) is np.ndarray


def test_where_a_relative_path_starts(shapes_root, write, tmp_path, monkeypatch):
    root = tmp_path / 'root'
    root.symlink_to(shapes_root)
    write(entries(shapes_root, 'val'))
    monkeypatch.chdir(tmp_path)
    assert load(root, 'val', proposal_file='p.pkl').proposal_file == 'p.pkl'
    there = shapes_root / 'p.pkl'
    there.write_bytes((tmp_path / 'p.pkl').read_bytes())
    try:
        assert load('root', 'val', proposal_file='p.pkl').proposal_file == 'root/p.pkl'
    finally:
        there.unlink()


def test_proposals_stay_with_their_image_when_others_are_left_out(shapes_root, write):
    options = dict(filter_cfg=dict(filter_empty_gt=True),
                   proposal_file=write(entries(shapes_root, 'train')))
    data = VOCFolder(str(shapes_root), split='train',
                     metainfo=dict(classes=('star',)), **options)
    everything = entries(shapes_root, 'train')
    assert 0 < len(data) < 24
    for info in map(data.get_data_info, range(len(data))):
        key = f'JPEGImages/{Path(info["img_path"]).name}'
        assert np.array_equal(info['proposals']['bboxes'], everything[key]['bboxes'])


def test_a_missing_file_says_how_to_make_it(shapes_root):
    with pytest.raises(UserError, match=r'p\.pkl: no such file.*frcnn make-proposals '
                       r'--data-root .*shapes --split val --out p\.pkl'):
        load(shapes_root, 'val', proposal_file='p.pkl')


def test_images_without_an_entry(shapes_root, write):
    content = entries(shapes_root, 'val')
    content.pop('JPEGImages/val_00001.jpg')
    content.pop('JPEGImages/val_00003.jpg')
    with pytest.raises(UserError, match=r'p\.pkl: has no proposals for 2 of 4 images, '
                       r'the first is JPEGImages/val_00001\.jpg'):
        load(shapes_root, 'val', proposal_file=write(content))


def test_two_images_of_one_name(shapes_root, write, tmp_path):
    for year in ('VOC2007', 'VOC2012'):
        (tmp_path / year).symlink_to(shapes_root)
    path = write(entries(shapes_root, 'val'))
    with pytest.raises(UserError, match=r'VOC2007.*VOC2012.*one name'):
        load(tmp_path, 'val', proposal_file=path)
    assert len(load(tmp_path, 'val', folders=['VOC2007'], proposal_file=path)) == 4


BOX = np.float32([[1, 2, 3, 4]])


@pytest.mark.parametrize('entry, says', [
    (dict(bboxes=np.zeros((2, 5))), r'shape \(2, 5\)'),
    (dict(bboxes=np.zeros(4)), r'shape \(4,\)'),
    (dict(bboxes=BOX * np.nan), 'bboxes are not all finite'),
    (dict(bboxes=BOX, scores=np.float32([np.inf])), 'scores are not all finite'),
    (dict(bboxes=BOX, scores=np.ones(2)), 'scores of shape'),
    (dict(bboxes=[[1, 2, 3, 4]]), 'bboxes are a list'),
    (dict(scores=np.ones(2)), 'no bboxes'), (BOX, 'no bboxes')])
def test_boxes_that_are_none(shapes_root, write, entry, says):
    content = entries(shapes_root, 'val')
    content['JPEGImages/val_00002.jpg'] = entry
    with pytest.raises(UserError, match=rf'p\.pkl: JPEGImages/val_00002\.jpg.*{says}'):
        load(shapes_root, 'val', proposal_file=write(content))


def test_a_list_of_boxes_is_no_file_of_proposals(shapes_root, write):
    with pytest.raises(UserError, match='holds a list'):
        load(shapes_root, 'val', proposal_file=write([BOX]))


def test_a_file_that_would_run_code(shapes_root, write, tmp_path):
    class Evil:
        def __reduce__(self):
            return Path.mkdir, (tmp_path / 'made',)

    path = write({**entries(shapes_root, 'val'), 'x': Evil()})
    with pytest.raises(UserError, match='refused'):
        load(shapes_root, 'val', proposal_file=path)
    assert not (tmp_path / 'made').exists()


def test_a_file_of_mmdets_dump_proposals(shapes_root, tmp_path):
    metric = DumpProposals(str(tmp_path), 'p.pkl', num_max_proposals=3)
    data = load(shapes_root, 'val')
    bboxes = torch.arange(20.).reshape(5, 4)
    samples = [dict(img_path=data.get_data_info(i)['img_path'], pred_instances=dict(
        bboxes=bboxes + i, scores=torch.tensor([0.1, 0.9, 0.2, 0.3, 0.4])))
        for i in range(4)]
    metric.process({}, samples)
    metric.evaluate(4)
    content = pickle.loads((tmp_path / 'p.pkl').read_bytes())
    assert all(isinstance(value, InstanceData) for value in content.values())
    data = load(shapes_root, 'val', proposal_file=str(tmp_path / 'p.pkl'),
                pipeline=[*LOAD, PACK])
    for i in range(4):
        proposals = data[i]['data_samples'].proposals.bboxes
        assert np.array_equal(proposals.numpy(), bboxes[[1, 4, 3]].numpy() + i)


@pytest.mark.parametrize('prob', [0.0, 1.0])
def test_proposals_are_scaled_and_flipped_with_the_image(shapes_root, write, prob):
    pipeline = [
        *LOAD, dict(type='ProposalBroadcaster', transforms=[
            dict(type='Resize', scale=(400, 300), keep_ratio=True),
            dict(type='RandomFlip', prob=prob)]), PACK]
    data = load(shapes_root, pipeline=pipeline,
                proposal_file=write(entries(shapes_root, 'train')))
    for i in range(6):
        sample = data[i]['data_samples']
        proposals, gt = sample.proposals.bboxes, sample.gt_instances.bboxes.tensor
        assert sample.flip == bool(prob) and sample.scale_factor[0] > 1.5
        assert len(gt) and torch.equal(torch.as_tensor(proposals), gt)
        raw = torch.as_tensor(boxes_of(data.get_data_info(i)))
        assert not torch.equal(gt, raw)


def test_proposals_of_a_test_pipeline_are_scaled_and_the_boxes_are_not(
        shapes_root, write):
    pipeline = [*LOAD[:2], dict(type='ProposalBroadcaster', transforms=[
        dict(type='Resize', scale=(400, 300), keep_ratio=True)]), LOAD[2], PACK]
    sample = load(shapes_root, 'val', test_mode=True, pipeline=pipeline,
                  proposal_file=write(entries(shapes_root, 'val')))[0]['data_samples']
    scale = torch.tensor(sample.scale_factor).repeat(2)
    proposals = torch.as_tensor(sample.proposals.bboxes)
    assert torch.allclose(proposals, sample.gt_instances.bboxes.tensor * scale)


def test_mmdets_own_reader_takes_the_same_file(shapes_root, write):
    data = load(shapes_root, 'val', serialize_data=False)
    data.proposal_file = write(entries(shapes_root, 'val'))
    BaseDetDataset.load_proposals(data)
    for info in data.data_list:
        assert np.array_equal(info['proposals']['bboxes'], boxes_of(info))


def test_the_name_of_the_file_may_hold_the_split(shapes_root, write):
    write(entries(shapes_root, 'val'), 'mine_val.pkl')
    path = write(entries(shapes_root, 'train'), 'mine_train.pkl')
    pattern = path.replace('train.pkl', '{split}.pkl')
    for split, count in (('train', 24), ('val', 4)):
        assert len(load(shapes_root, split, proposal_file=pattern)) == count

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from mmdet.datasets import BaseDetDataset
from mmdet.evaluation import DumpProposals
from mmengine.structures import InstanceData

from frcnn_plugin.datasets import VOCFolder
from frcnn_plugin.datasets.proposals import read_proposals, write_proposals
from frcnn_plugin.errors import FoldersError, ProposalsError, UserError
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
        if name.endswith('.npz'):
            write_proposals(tmp_path / name, content)
        else:
            (tmp_path / name).write_bytes(pickle.dumps(content))
        return str(tmp_path / name)

    return write_file


@pytest.mark.parametrize('name', ['p.npz', 'p.pkl'])
def test_one_file_serves_several_splits(shapes_root, write, name):
    path = write(entries(shapes_root, 'train', 'val'), name)
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


def test_a_missing_file_is_named_with_where_it_was_looked_for(shapes_root):
    with pytest.raises(ProposalsError, match=r'p\.npz: no such file of proposals for '
                       r'the split val, neither in .*shapes nor in the current folder'):
        load(shapes_root, 'val', proposal_file='p.npz')


@pytest.mark.parametrize('name', ['p.npz', 'p.pkl'])
def test_images_without_an_entry(shapes_root, write, name):
    content = entries(shapes_root, 'val')
    content.pop('JPEGImages/val_00001.jpg')
    content.pop('JPEGImages/val_00003.jpg')
    with pytest.raises(ProposalsError, match=r'p\.\w+: has no proposals for 2 of 4 '
                       r'images, the first is JPEGImages/val_00001\.jpg'):
        load(shapes_root, 'val', proposal_file=write(content, name))


def test_two_images_of_one_name(shapes_root, write, tmp_path):
    for year in ('VOC2007', 'VOC2012'):
        (tmp_path / year).symlink_to(shapes_root)
    path = write(entries(shapes_root, 'val'))
    with pytest.raises(FoldersError, match=r'VOC2007.*VOC2012.*one name'):
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


def test_what_is_written_comes_back(write):
    content = {'JPEGImages/a.jpg': dict(bboxes=BOX, scores=np.float32([0.5])),
               'JPEGImages/\u732b.jpg': dict(bboxes=BOX[:0], scores=np.zeros(0, 'f4')),
               'JPEGImages/c.jpg': dict(bboxes=np.vstack([BOX, BOX + 1]),
                                        scores=np.float32([0.9, 0.1]))}
    for proposals in (content, {}):
        found = read_proposals(Path(write(proposals, 'p.npz')))
        assert [*found] == [*proposals]
        for name, entry in found.items():
            for part, array in entry.items():
                assert array.dtype == np.float32
                assert np.array_equal(array, proposals[name][part])


GOOD = dict(names=np.array(['a', 'b']), counts=np.array([1, 0]), bboxes=BOX,
            scores=np.float32([1]))


@pytest.mark.parametrize('change', [
    dict(counts=np.array([1, 1])), dict(counts=np.array([2, -1])),
    dict(counts=np.array([1.0, 0.0])), dict(counts=np.array([1])),
    dict(counts=np.array([[1, 0]])), dict(names=np.array([1, 2])),
    dict(names=np.array(['a', 'a'])), dict(names=np.array('a')),
    dict(bboxes=np.vstack([BOX, BOX])), dict(scores=np.zeros(0)),
    dict(bboxes=np.float32(1))])
def test_arrays_that_do_not_belong_together(tmp_path, change):
    path = tmp_path / 'p.npz'
    np.savez(path, **GOOD)
    assert read_proposals(path)['a']['scores'].tolist() == [1]
    np.savez(path, **{**GOOD, **change})
    with pytest.raises(ProposalsError, match=r'p\.npz: its arrays do not belong'):
        read_proposals(path)


def test_an_npz_that_is_damaged_or_holds_objects(tmp_path):
    path = tmp_path / 'p.npz'
    np.savez(path, **GOOD)
    whole = path.read_bytes()
    damaged = [whole[:end] for end in range(0, len(whole), 97)]
    damaged += [whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1:]
                for place in (0, 30, 60, 130, 200, len(whole) - 20)]
    for content in damaged:
        path.write_bytes(content)
        try:
            read_proposals(path)  # a name in the archive's first copy may be anything
        except ProposalsError as error:
            assert str(error).startswith(f'{path}: ') and '\n' not in str(error)
    for content in (pickle.dumps(GOOD), b'', whole[:200]):
        path.write_bytes(content)
        with pytest.raises(ProposalsError, match=r'p\.npz: damaged or not a file of'):
            read_proposals(path)
    np.savez(path, **{**GOOD, 'names': np.array([Path('a'), 'b'], dtype=object)})
    with pytest.raises(ProposalsError, match=r'p\.npz: damaged.*could run code'):
        read_proposals(path)
    np.savez(path, bboxes=BOX)
    with pytest.raises(ProposalsError, match=r'p\.npz: damaged.*names'):
        read_proposals(path)
    with path.open('wb') as file:
        np.save(file, BOX)  # one array, no archive
    with pytest.raises(ProposalsError, match=r'p\.npz: damaged'):
        read_proposals(path)


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


def test_mmdets_own_reader_takes_a_pickle_of_the_same(shapes_root, write):
    data = load(shapes_root, 'val', serialize_data=False)
    content = read_proposals(Path(write(entries(shapes_root, 'val'), 'p.npz')))
    data.proposal_file = write(content)
    BaseDetDataset.load_proposals(data)
    for info in data.data_list:
        assert np.array_equal(info['proposals']['bboxes'], boxes_of(info))


def test_the_name_of_the_file_may_hold_the_split(shapes_root, write):
    write(entries(shapes_root, 'val'), 'mine_val.pkl')
    path = write(entries(shapes_root, 'train'), 'mine_train.pkl')
    pattern = path.replace('train.pkl', '{split}.pkl')
    for split, count in (('train', 24), ('val', 4)):
        assert len(load(shapes_root, split, proposal_file=pattern)) == count

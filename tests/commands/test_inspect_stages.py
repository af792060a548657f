"""Every stage of one picture, and the page that shows them."""

import re

import pytest
import torch
from browser import needs_chromium, visit

from frcnn_plugin import Detector
from frcnn_plugin.commands.inspect_stages import inspect_stages
from frcnn_plugin.errors import UserError
from frcnn_plugin.inference.images import read_image
from frcnn_plugin.visualization.stages import run_stages

ORDER = ['input', 'features', 'anchors', 'objectness', 'before_nms', 'proposals',
         'anchor_targets', 'sampled_rois', 'pooled', 'heads', 'detections']


@pytest.fixture
def picture(shapes_root):
    return sorted((shapes_root / 'JPEGImages').glob('*.jpg'))[0]


def test_a_page_and_a_picture_of_every_stage(repo, picture, tmp_path, capsys):
    config = str(repo / 'configs/frcnn_r18_c4_shapes.py')
    inspect_stages([str(picture), config, '-o', str(tmp_path)])
    drawn = sorted(path.name[3:].split('.')[0] for path in tmp_path.glob('*.jpg'))
    assert {re.sub(r'_\d$', '', name) for name in drawn} == {*ORDER} - {'heads'}
    page = (tmp_path / 'stages.html').read_text()
    assert page.count('<img ') == len(drawn) and 'random weights' in page
    printed = capsys.readouterr().out
    for name in ('rpn_locs', 'rpn_scores', 'pooled', 'class_scores', 'box_deltas'):
        assert name in printed and name in page


def test_without_annotation_nothing_is_sampled(repo, picture, tmp_path):
    alone = tmp_path / 'alone.jpg'
    alone.write_bytes(picture.read_bytes())
    inspect_stages([str(alone), str(repo / 'configs/frcnn_r18_c4_shapes.py'), '-o',
                    str(tmp_path / 'out')])
    assert not list(tmp_path.glob('out/*_sampled_rois.jpg'))


def test_an_annotation_beside_the_picture(repo, picture, tmp_path):
    for path in (picture, picture.parent.parent / f'Annotations/{picture.stem}.xml'):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    inspect_stages([str(tmp_path / picture.name), '-o', str(tmp_path / 'out'),
                    str(repo / 'configs/frcnn_r18_c4_shapes.py')])
    assert list(tmp_path.glob('out/*_sampled_rois.jpg'))


@pytest.mark.parametrize('config', ['frcnn_r18_c4_shapes', 'frcnn_r50_fpn_voc'])
def test_the_stages_are_what_the_detector_does(repo, picture, config):
    torch.manual_seed(0)
    detector = Detector(None, repo / f'configs/{config}.py', 'cpu')
    if config == 'frcnn_r50_fpn_voc':
        for step in detector.pipeline.transforms:
            if hasattr(step, 'scale'):
                step.scale = (160, 128)
    sample = detector.prepare(read_image(picture))
    data = detector.model.data_preprocessor(dict(
        inputs=[sample['inputs']], data_samples=[sample['data_samples']]))
    size = sample['data_samples'].metainfo['img_shape'][:2]
    stages = run_stages(detector.model, data['inputs'], size)
    found, = detector.model.predict(
        data['inputs'], data['data_samples'], rescale=False)
    tensors = stages['detections'].tensors
    mask = tensors['mask'][0]
    torch.testing.assert_close(tensors['bboxes'][0][mask], found.pred_instances.bboxes)
    assert torch.equal(tensors['labels'][0][mask], found.pred_instances.labels)
    assert len(stages['before_nms'].tensors['bboxes'][0]) >= mask.sum()
    assert stages['pooled'].tensors['pooled'].shape[-2:] == (
        detector.model.roi_head.bbox_roi_extractor.output_size)


def test_a_chosen_region(repo, picture, tmp_path):
    config = str(repo / 'configs/frcnn_r18_c4_shapes.py')
    with pytest.raises(UserError, match=r'region 5000: there are \d+ proposals'):
        inspect_stages([str(picture), config, '--region', '5000', '-o', str(tmp_path)])
    inspect_stages([str(picture), config, '--region', '3', '-o', str(tmp_path)])
    assert 'Region 3 pooled' in (tmp_path / 'stages.html').read_text()


def test_no_picture(repo, tmp_path):
    config = str(repo / 'configs/frcnn_r18_c4_shapes.py')
    with pytest.raises(UserError, match='no such image'):
        inspect_stages(['nowhere.jpg', config, '-o', str(tmp_path)])


def test_stock_heads_are_refused(repo, picture):
    detector = Detector(None, repo / 'configs/frcnn_r18_c4_shapes.py', 'cpu')
    detector.model.rpn_head = torch.nn.Identity()
    with pytest.raises(UserError, match='can be looked into'):
        run_stages(detector.model, torch.zeros(1, 3, 64, 64), (64, 64))


@pytest.mark.long
@needs_chromium
def test_in_a_browser(repo, picture, tmp_path):
    config = str(repo / 'configs/frcnn_r18_c4_shapes.py')
    long = tmp_path / f'{"a_long_name_of_a_picture" * 4}.jpg'
    long.write_bytes(picture.read_bytes())
    inspect_stages([str(long), config, '-o', str(tmp_path / 'out')])
    for width, dark in ((1280, False), (390, True)):
        seen = visit(tmp_path / 'out/stages.html', width, dark)
        assert seen.complaints == [] and seen.requests == [] and seen.broken == []
        assert seen.pictures == len(list(tmp_path.glob('out/*.jpg')))
        assert seen.overflow <= 0
        assert not seen.clipped


def test_the_picture_itself_is_not_written_over(repo, picture, tmp_path):
    mine = tmp_path / '01_input.jpg'
    mine.write_bytes(picture.read_bytes())
    with pytest.raises(UserError, match='itself would be written over'):
        inspect_stages([str(mine), str(repo / 'configs/frcnn_r18_c4_shapes.py'), '-o',
                        str(tmp_path)])
    assert mine.read_bytes() == picture.read_bytes()

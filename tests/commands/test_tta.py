"""Test-time augmentation, mmdet's own."""

import pytest
import torch
from mmdet.structures.bbox import get_box_tensor
from mmengine.config import Config
from mmengine.dataset import Compose

from frcnn_plugin.commands.test import test as run_test
from frcnn_plugin.commands.train import train
from frcnn_plugin.config.testing import with_mirror_image
from frcnn_plugin.errors import UserError

TINY = ['model.rpn_head.feat_channels=32',
        'model.roi_head.bbox_head.fc_channels=[32,32]']


def test_the_picture_and_its_mirror_image(repo, shapes_root):
    cfg = Config.fromfile(repo / 'configs/frcnn_r18_c4_shapes.py')
    pipeline = Compose(with_mirror_image(cfg.test_dataloader.dataset.pipeline))
    path = sorted((shapes_root / 'JPEGImages').glob('*.jpg'))[0]
    both = pipeline(dict(img_path=str(path), instances=[], img_id=0))
    plain, mirrored = both['inputs']
    assert torch.equal(plain.flip(2), mirrored)
    assert [sample.flip for sample in both['data_samples']] == [False, True]


def test_boxes_are_turned_back_and_merged(small, tmp_path, monkeypatch):
    """A detector that finds what is annotated, in whichever version it is shown."""
    from frcnn_plugin.registry import MODELS
    train([*small('--max-iters', '1'), *TINY])
    arguments = [small()[0], str(tmp_path / 'run/iter_1.pth'), '--tta', *small()[1:],
                 *TINY]
    seen = []

    def predict(self, inputs, samples, rescale=True):
        for sample in samples:
            boxes = get_box_tensor(sample.gt_instances.bboxes).clone()
            seen.append(sample.flip)
            if sample.flip:
                boxes[:, [0, 2]] = sample.ori_shape[1] - boxes[:, [2, 0]]
            sample.pred_instances = type(sample.gt_instances)(
                bboxes=boxes, scores=torch.ones(len(boxes)),
                labels=sample.gt_instances.labels)
        return samples

    monkeypatch.setattr(MODELS.get('FasterRCNN'), 'predict', predict)
    assert run_test(arguments)['mAP'] == 1.0
    assert sorted(seen) == [False] * 6 + [True] * 6


def test_a_pipeline_of_the_config(small, tmp_path):
    """One version that is the picture itself: the same as without."""
    train([*small('--max-iters', '1', '--seed', '0'), *TINY])
    cfg = Config.fromfile(small()[0])
    steps = with_mirror_image(cfg.test_dataloader.dataset.pipeline)
    steps[1]['transforms'][-3] = steps[1]['transforms'][-3][:1]
    config = tmp_path / 'own.py'
    config.write_text(f"_base_ = '{small()[0]}'\ntta_pipeline = {steps}\n")
    checkpoint = str(tmp_path / 'run/iter_1.pth')
    plain = run_test([str(config), checkpoint, *small()[1:], *TINY])
    tta = run_test([str(config), checkpoint, '--tta', *small()[1:], *TINY])
    assert tta['mAP'] == pytest.approx(plain['mAP'], abs=1e-3)


def test_given_proposals_are_refused(repo, small, tmp_path):
    train([*small('--max-iters', '1'), *TINY])
    with pytest.raises(UserError, match='test-time augmentation needs an RPN'):
        run_test([str(repo / 'configs/fast_rcnn_r50_c4_voc.py'),
                  str(tmp_path / 'run/iter_1.pth'), '--tta'])

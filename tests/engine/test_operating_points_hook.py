"""What a validation tells about scores is in the checkpoints of those very weights."""

import pytest
from helpers import put_points
from mmengine.hooks import Hook

from frcnn_plugin import Detector
from frcnn_plugin.commands.test import test as run_test
from frcnn_plugin.commands.train import train
from frcnn_plugin.engine.operating_points_hook import OperatingPointsHook
from frcnn_plugin.errors import SettingError
from frcnn_plugin.evaluation.operating_points import OperatingPoints
from frcnn_plugin.io.weights_only import load_weights_only
from frcnn_plugin.registry import HOOKS

CLASSES = ['circle', 'square', 'triangle', 'star']
OPTIONS = ['train_cfg.val_interval=2', 'default_hooks.checkpoint.interval=1',
           'default_hooks.checkpoint.max_keep_ckpts=-1']


@HOOKS.register_module()
class Worse(Hook):
    """Makes every validation worse than the one before."""

    priority = 'HIGH'

    def after_val_epoch(self, runner, metrics=None) -> None:
        metrics['pascal_voc/mAP'] = 1 / runner.iter


@HOOKS.register_module()
class Writes(Hook):
    """Counts how often a checkpoint of the last iteration is written."""

    number = 0

    def before_save_checkpoint(self, runner, checkpoint) -> None:
        Writes.number += 'optimizer' in checkpoint


def points_in(path) -> dict | None:
    return load_weights_only(path)['meta'].get('operating_points')


def test_the_best_and_the_last(small, tmp_path):
    train([*small('--seed', '0', '--max-iters', '4'), *OPTIONS,
           'default_hooks.worse.type=Worse'])
    run = tmp_path / 'run'
    last, best = points_in(run / 'iter_4.pth'), points_in(
        run / 'best_pascal_voc_mAP_iter_2.pth')
    assert list(last['thresholds']) == list(best['calibration']) == CLASSES
    assert last != best and last['images'] == 4
    assert OperatingPoints.read(last, 4).thresholds.max() < 1
    assert points_in(run / 'iter_2.pth') == best
    assert points_in(run / 'iter_1.pth') is points_in(run / 'iter_3.pth') is None
    assert load_weights_only(run / 'iter_4.pth')['meta']['iter'] == 4
    assert 'operating_points' not in load_weights_only(
        run / 'iter_4.pth')['message_hub']['runtime_info']

    detector = Detector(run / 'iter_4.pth', device='cpu')
    assert detector.operating_points == last


@pytest.mark.parametrize(('worse', 'times'), [([], 2), (
    ['default_hooks.worse.type=Worse'], 2)], ids=['best', 'not the best'])
def test_the_last_is_not_written_more_often_than_ever(small, worse, times):
    """Once when it is due, and once when the validation has told something."""
    Writes.number = 0
    train([*small('--seed', '0', '--max-iters', '4'), *OPTIONS, *worse,
           'default_hooks.checkpoint.interval=4', 'default_hooks.writes.type=Writes'])
    assert Writes.number == times


def test_a_run_that_goes_on_has_them_too(small, tmp_path):
    """Also if it was stopped between the last step and the validation."""
    options = [*OPTIONS, 'default_hooks.worse.type=Worse']
    train([*small('--seed', '0', '--max-iters', '4'), *options])
    expected = points_in(tmp_path / 'run/iter_4.pth')
    content = tmp_path / 'run/iter_3.pth'
    (tmp_path / 'run/iter_4.pth').unlink()
    (tmp_path / 'run/last_checkpoint').write_text(str(content))
    train([*small('--resume', '--max-iters', '4'), *options])
    assert points_in(tmp_path / 'run/iter_4.pth') == expected


def test_a_precision_and_none(small, tmp_path):
    train([*small('--seed', '0', '--max-iters', '2'), *OPTIONS,
           'default_hooks.operating_points.precision=0.9'])
    assert points_in(tmp_path / 'run/iter_2.pth')['rule'] == 'precision 0.9'
    train([*small('--seed', '0', '--max-iters', '2', work_dir='none'), *OPTIONS,
           'default_hooks.operating_points=None'])
    assert points_in(tmp_path / 'none/iter_2.pth') is None
    with pytest.raises(SettingError, match='precision is 95'):
        OperatingPointsHook(95)


def test_a_test_cuts_where_the_checkpoint_says(small, checkpoint, tmp_path):
    """And never at what the test pictures would tell."""
    told = put_points(checkpoint, tmp_path / 'told.pth', dict.fromkeys(CLASSES, 0.125))
    for path, options, says in (
            (told, [], 'at the score that 87 validation images told (best F1)'),
            (told, ['default_hooks.report.score_thr=0.4'], 'at a score of 0.4, as'),
            (checkpoint, [], 'told where to cut, so each class is cut at 0.5')):
        arguments = small(report=True)
        run_test([arguments[0], path, *arguments[1:], *options])
        page = ' '.join((tmp_path / 'run/report.html').read_text().split())
        assert says in page
        assert ('<td>circle</td><td>0.125</td>' in page) == (
            path == told and not options)
        assert ('probability, D-ECE' in page) == (path == told)

"""The page, as commands leave it and as a browser shows it."""

import json
import re
import shutil
from functools import partial
from importlib import import_module

import numpy as np
import pytest
from browser import needs_chromium, visit
from filelock import FileLock

from frcnn_plugin.commands.test import print_table
from frcnn_plugin.commands.test import test as run_test
from frcnn_plugin.commands.train import train
from frcnn_plugin.evaluation import records
from frcnn_plugin.evaluation.records import ImageRecord
from frcnn_plugin.report.analysis import by_class
from frcnn_plugin.report.page import render
from frcnn_plugin.report.plots import precision_recall
from frcnn_plugin.report.training_log import read_log

TINY = ['model.rpn_head.feat_channels=32', 'train_cfg.val_interval=2',
        'model.roi_head.bbox_head.fc_channels=[32,32]',
        'default_hooks.logger.interval=1', 'default_hooks.checkpoint.interval=2']


@pytest.fixture
def arguments(small):
    """Those of a command that leaves a report."""
    return partial(small, report=True)


@pytest.fixture
def work_dir(kept, arguments, tmp_path):
    """What a training of four steps left."""
    with FileLock(kept / 'run.lock'):
        if not (kept / 'run').exists():
            train([*arguments('--max-iters', '4', '--seed', '0', work_dir='first'),
                   *TINY])
            (tmp_path / 'first').rename(kept / 'run')
    return shutil.copytree(kept / 'run', tmp_path / 'run')


def test_training_leaves_one(work_dir):
    page = (work_dir / 'report.html').read_text()
    assert 'validation after 4 iterations, 4 images' in page
    assert 'Learning rate' in page and 'Validation' in page
    for name in ('circle', 'square', 'triangle', 'star'):
        assert f'<td>{name}</td>' in page
    sources = re.findall(r'(?:src|href)="([^"]{0,40})', page)
    assert sources and all(each.startswith(('data:', '#')) for each in sources)


def test_a_test_leaves_one(work_dir, arguments):
    summary = run_test([arguments()[0], str(work_dir / 'iter_4.pth'), *arguments()[1:],
                        *TINY[:1], *TINY[2:3]])
    page = (work_dir / 'report.html').read_text()
    assert 'test, 6 images' in page and f'<b>{summary["mAP"]:.3f}</b>' in page
    assert 'Losses' in page  # those of the training in the same work dir
    low, high = summary['intervals']['AP']
    assert f'<td>{low:.3f} to {high:.3f}</td>' in page
    assert f'<td><b>{summary["AP"]:.3f}</b></td>' in page and 'AR100' in page


def test_annotations_that_look_wrong_are_listed(work_dir, arguments, monkeypatch,
                                                capsys):
    doubtful, file = import_module('frcnn_plugin.report.doubtful_annotations'), (
        work_dir / 'annotations_to_check.csv')
    for sure in (0.0, 1.1):  # of all that it finds, of nothing
        monkeypatch.setattr(doubtful, 'SURE', sure)
        run_test([arguments()[0], str(work_dir / 'iter_4.pth'), *arguments()[1:],
                  *TINY[:1], *TINY[2:3]])
        said = re.search(r'(\d+) annotations? in \d pictures? may be missing or wrong',
                         capsys.readouterr().out)
        assert bool(said) == file.exists() == (sure == 0)
        if said:
            lines = file.read_text().splitlines()
            assert len(lines) == 1 + int(said[1])
            assert all(line.endswith(('there', 'circle', 'square', 'triangle', 'star'))
                       or 'badly placed' in line for line in lines[1:])


def test_names_that_are_formulas_or_markup(capsys):
    names = ('$$', 'cash $$', '$1 #2 $', 'x [/y]', 'box [open]')
    boxes, labels = np.float32([[1, 2, 30, 40]] * 5), np.arange(5)
    record = ImageRecord('a.jpg', boxes, labels, boxes[:0], labels[:0], boxes,
                         np.full(5, 0.9, np.float32), labels)
    assert precision_recall(by_class([record], names)).startswith('<svg')
    values = dict.fromkeys(names, 0.5)
    print_table(dict(mAP=0.5, AP50=0.5, AP=0.5, AP75=None, intervals=None,
                     per_class=values, AP_per_class=values))
    shown = capsys.readouterr().out
    assert all(name in shown for name in names)


def test_a_class_cannot_write_html(work_dir, arguments):
    run_test([arguments()[0], str(work_dir / 'iter_4.pth'), '--classes', 'circle',
              '<script>alert(1)</script>', 'triangle', 'star', *arguments()[1:],
              *TINY[:1], *TINY[2:3]])
    page = (work_dir / 'report.html').read_text()
    assert '<script' not in page and '&lt;script&gt;alert(1)' in page


def test_recall_leaves_none(work_dir, arguments):
    (work_dir / 'report.html').unlink()
    run_test([arguments()[0], str(work_dir / 'iter_4.pth'), '--recall',
              *arguments()[1:], *TINY[:1], *TINY[2:3]])
    assert not (work_dir / 'report.html').exists()


def test_it_can_be_left_out(small, tmp_path):
    train([*small('--max-iters', '2'), *TINY])
    assert list(tmp_path.glob('run/best_*.pth'))  # it was validated
    assert not (tmp_path / 'run/report.html').exists()


def test_several_processes_in_the_order_of_the_data(monkeypatch):
    monkeypatch.setattr(records, 'all_gather_object', lambda mine: [
        [('a',), ('c',), ('e',)], [('b',), ('d',), ('a',)]])  # the last fills up
    assert records.gather([], 5) == [('a',), ('b',), ('c',), ('d',), ('e',)]


@pytest.mark.long
@needs_chromium
def test_in_a_browser(work_dir):
    for width in (1280, 390):
        for dark in (False, True):
            seen = visit(work_dir / 'report.html', width, dark)
            assert seen.complaints == [] and seen.requests == [] and seen.broken == []
            assert seen.pictures >= 4 and seen.overflow <= 0
            assert width < 1280 or not seen.clipped
            assert seen.background == (
                'rgb(18, 22, 28)' if dark else 'rgb(255, 255, 255)')


def test_a_run_that_went_on_is_one_curve(tmp_path):
    def lines(number, *rows):
        folder = tmp_path / f'2026010{number}_000000/vis_data'
        folder.mkdir(parents=True)
        (folder / 'scalars.json').write_text(''.join(
            json.dumps(row) + '\n' for row in rows))

    lines(1, *[dict(loss=9.0 - step, lr=0.1, step=step) for step in (1, 2, 3, 4)],
          {'pascal_voc/mAP': 0.5, 'step': 4})
    lines(2, dict(loss=6.5, lr=0.1, step=3), {'pascal_voc/mAP': 0.1, 'step': 1},
          dict(loss=5.5, lr=0.1, step=4), {'pascal_voc/mAP': 0.6, 'step': 4})
    lines(3, {'pascal_voc/mAP': 0.7, 'step': 0})  # a test
    log = read_log(tmp_path)
    assert log.training['loss'] == [(1, 8.0), (2, 7.0), (3, 6.5), (4, 5.5)]
    assert log.validation['pascal_voc/mAP'] == [(3, 0.1), (4, 0.6)]
    assert read_log(tmp_path / 'nothing') == ({}, {})


def test_a_line_that_was_not_finished(tmp_path):
    folder = tmp_path / '20260101_000000/vis_data'
    folder.mkdir(parents=True)
    (folder / 'scalars.json').write_text('{"loss": 1.0, "step": 1}\n{"loss": 1.0, "st')
    assert read_log(tmp_path).training['loss'] == [(1, 1.0)]


def test_a_template_with_a_gap_is_refused():
    with pytest.raises(Exception, match='undefined'):
        render('report.html.j2')

"""The benchmark, at a size at which it says nothing about speed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(('task', 'peer', 'mode'), [
    ('inference', 'torchvision R50-FPN', 'folded'),
    ('training', 'mmdet R50-C4', 'folded'),
    ('targets', 'mmdet R50-C4', 'folded')])
def test_both_agree_and_are_timed(tmp_path, task, peer, mode):
    out = tmp_path / 'figures.json'
    shown = subprocess.run(
        [sys.executable, 'tools/benchmark.py', task, '--peer', peer, '--mode', mode,
         '--size', '128', '160', '--batch', '1', '--regions', '8', '--proposals', '50',
         '--boxes', '3', '--repeat', '1', '--json', str(out)],
        cwd=ROOT, text=True, capture_output=True)
    assert shown.returncode == 0, shown.stderr
    assert 'differ by at most' in shown.stdout and 'of the matrix rate' in shown.stdout
    figures = json.loads(out.read_text())
    ours, theirs = figures['results']
    assert theirs['name'] == peer and ours['median'] > 0 and theirs['median'] > 0
    if task != 'targets':
        assert 0 < ours['flops'] <= theirs['flops']


def test_a_peer_that_is_not_there():
    shown = subprocess.run(
        [sys.executable, 'tools/benchmark.py', 'training', '--peer',
         'torchvision R50-FPN'], cwd=ROOT, text=True, capture_output=True)
    assert shown.returncode == 1
    assert shown.stderr.strip().endswith(
        'error: training is compared with mmdet only')

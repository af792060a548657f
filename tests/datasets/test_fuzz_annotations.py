"""The reader of annotations reads or refuses, whatever it is given."""

import subprocess
import sys


def test_a_short_run(repo, tmp_path):
    done = subprocess.run(
        [sys.executable, repo / 'tools/fuzz_annotations.py', '--number', '2000'],
        cwd=tmp_path, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith('2000 inputs: ') and ' read in part' in done.stdout
    assert not list(tmp_path.iterdir())

"""What a type checker knows of the package in a user's program."""

import os
import re
import subprocess
import sys

import pytest

PROGRAM = """
from frcnn_plugin import Detector

detector = Detector('detector.pth')
files: list[str] = ['a.jpg']
reveal_type(detector)
reveal_type(detector('a.jpg'))
reveal_type(detector(files))
detector(7)
"""


@pytest.mark.long
def test_a_detector_has_types(repo, tmp_path):
    (tmp_path / 'program.py').write_text(PROGRAM)
    said = subprocess.run(
        [sys.executable, '-m', 'mypy', '--config-file=', '--follow-imports=silent',
         '--ignore-missing-imports', 'program.py'],
        cwd=tmp_path, text=True, capture_output=True,
        env=dict(os.environ, MYPYPATH=str(repo))).stdout
    assert re.findall('Revealed type is "(.*)"', said) == [
        'frcnn_plugin.inference.detector.Detector',
        'frcnn_plugin.inference.prediction.Prediction',
        'list[frcnn_plugin.inference.prediction.Prediction]']
    assert 'program.py:9: error: No overload variant' in said

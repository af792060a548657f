"""The tool that trains ours and others for the same minutes; stand-ins for both."""

import json
import sys

import pytest
import same_minutes

SCRIPT = '''
import json, sys
with open(sys.argv[1]) as file:
    pictures = json.load(file)['test']
found = [dict(boxes=FOUND['boxes'], labels=FOUND['labels'],
              scores=[0.9] * len(FOUND['boxes'])) for each in pictures]
with open(sys.argv[2], 'w') as file:
    json.dump(dict(minutes=2.5, found=found), file)
'''


@pytest.fixture
def run(tmp_path, shapes_root, monkeypatch, capsys):
    """Runs it with two rivals: one finds all there is, the other nothing."""
    for name, found in (('all', 'each'), ('none', 'dict(boxes=[], labels=[])')):
        (tmp_path / f'{name}.py').write_text(SCRIPT.replace('FOUND', found))
    monkeypatch.setattr(same_minutes, 'SCRIPTS', tmp_path)
    monkeypatch.setattr(same_minutes, 'RIVALS', dict(
        best=('all.py', ''), worst=('none.py', '')))
    page = tmp_path / 'page.md'
    page.write_text('<!-- same minutes -->\n<!-- end of same minutes -->\n')

    def run(*options: str) -> list[str]:
        monkeypatch.setattr(sys, 'argv', [
            'same_minutes.py', str(shapes_root), '--work-dir', str(tmp_path / 'out'),
            '--rivals', 'best', 'worst', '--write', str(page), *options])
        same_minutes.main()
        return page.read_text().splitlines()[3:-1]

    return run


def test_one_evaluator_for_all(run, shapes_root, tmp_path):
    rows = run('--seeds', '0', '1')
    assert rows == ['| shapes | best | 1.000 (1.000) | 1.000 (1.000) | 2.5 (2.5) |',
                    '| shapes | worst | 0.000 (0.000) | 0.000 (0.000) | 2.5 (2.5) |']
    listed = json.loads((tmp_path / 'out/shapes/data.json').read_text())
    names = (shapes_root / 'ImageSets/Main/test.txt').read_text().split()
    assert len(listed['test']) == len(names)
    # what has been measured is not measured again
    for script in ('all.py', 'none.py'):
        (tmp_path / script).unlink()
    assert run('--seeds', '0', '1') == rows

"""docs/architecture.md names files and functions that are there."""

import re

from pages.listing import REPO

PACKAGE = REPO / 'frcnn_plugin'
PAGE = (REPO / 'docs/architecture.md').read_text()


def test_its_folders_are_those_of_the_package():
    diagram = re.search(r'```text\n(.*?)```', PAGE, re.S)[1]
    drawn = set(re.findall(r'(\w+)/ ', diagram))
    there = {path.parent.name for path in PACKAGE.glob('*/__init__.py')}
    assert drawn == there


def test_its_walks_name_functions_that_are_there():
    files, rows = [], re.findall(r'^\| (.*?) \| (.*?) \| .* \|$', PAGE, re.M)
    assert len(rows) > 40
    for file, function in rows:
        if file != '...':
            files = [PACKAGE / name for name in re.findall(r'`(\S+/\S+\.py)`', file)]
        source = ''.join(path.read_text() for path in files + [
            PACKAGE / name for name in re.findall(r'`(\S+/\S+\.py)`', function)])
        for name in re.findall(r'`([\w.]+)`', function):
            last = name.rpartition('.')[2]
            if files and last != 'py':
                assert re.search(rf'\b(def|class) {last}\b', source), (file, name)

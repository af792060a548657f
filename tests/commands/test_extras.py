"""``tools/extras.py`` measures each extra beside ``lite``."""

from pathlib import Path
from subprocess import CompletedProcess

import extras
import pytest

MEGABYTES = dict(runtime=2, lite=3, ray=7)


@pytest.fixture
def page(tmp_path, monkeypatch):
    monkeypatch.setattr('sys.argv', ['extras.py', '--write', 'page.md'])
    monkeypatch.chdir(tmp_path)
    page = Path('page.md')
    page.write_text('<!-- sizes -->\n<!-- end of sizes -->\n')
    return page


def test_what_comes_on_top(page, monkeypatch):
    def install(*words):
        if 'pip' in words:
            site = Path(words[4]).parents[1] / 'lib'
            site.mkdir(parents=True)
            for name in words[-1].partition('[')[2].rstrip(']').split(','):
                (site / name).write_bytes(bytes(MEGABYTES.get(name, 1) * 10**6))
        return CompletedProcess(words, 0, '', '')

    monkeypatch.setattr(extras, 'run', install)
    assert extras.main() == 0
    sizes = {name.strip(' `'): int(size) for _, name, _, size, _ in (
        line.split('|') for line in page.read_text().splitlines()[3:-1])}
    assert sizes['runtime'] == 2 and sizes['lite'] == 3
    assert sizes['ray'] == 7 and sizes['wandb'] == 1
    assert not {'training', 'compiled', 'dev', 'site'} & {*sizes}


def test_what_cannot_be_installed(page, monkeypatch):
    monkeypatch.setattr(extras, 'run', lambda *words: CompletedProcess(
        words, 1, '', 'because there is no wheel'))
    with pytest.raises(SystemExit, match='error: runtime: because there is no wheel'):
        extras.main()

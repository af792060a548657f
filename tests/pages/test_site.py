"""The site can be built, and a link that leads nowhere stops it."""

import shutil
import subprocess
import sys

import pytest
from pages.listing import REPO

pytest.importorskip('material')


@pytest.mark.long
@pytest.mark.parametrize('broken', [False, True])
def test_build(broken, tmp_path):
    for name in ('README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'mkdocs.yml'):
        shutil.copy(REPO / name, tmp_path)
    for name in ('tools', 'frcnn_plugin', 'configs', 'notebooks'):
        (tmp_path / name).symlink_to(REPO / name)
    shutil.copytree(REPO / 'docs', tmp_path / 'docs')
    if broken:
        with (tmp_path / 'docs/start.md').open('a') as page:
            page.write('\n[nowhere](nowhere.md)\n')
    done = subprocess.run([sys.executable, '-m', 'mkdocs', 'build'], cwd=tmp_path,
                          capture_output=True, text=True)
    assert (done.returncode != 0) == broken, done.stderr
    if broken:
        assert 'nowhere.md' in done.stderr
        return
    first = (tmp_path / 'build/site/index.html').read_text()
    assert 'href="docs/' not in first and 'src="docs/' not in first
    assert 'AnchorGenerator' in (tmp_path / 'build/site/api/rpn/index.html').read_text()
    for page, says in [('configs/frcnn_r50_c4_voc', 'the main config'),
                       ('configs/peers/mmdet_r50_c4', 'Faster R-CNN R50-C4'),
                       ('notebooks/01_what_is_an_rpn', '_3_1.jpg"')]:
        assert says in (tmp_path / f'build/site/{page}/index.html').read_text()

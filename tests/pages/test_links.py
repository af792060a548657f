"""Links between the pages."""

import re

import pytest
from pages.listing import PAGES, REPO


@pytest.mark.parametrize('page', PAGES)
def test_links_lead_somewhere(page):
    for target in re.findall(r'\]\(([^)#]+)[^)]*\)', (REPO / page).read_text()):
        if not target.startswith('http'):
            assert ((REPO / page).parent / target).exists(), target

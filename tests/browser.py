"""Opens a page in a headless Chromium, as a reader would, and says what went wrong."""

import os
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

CHROMIUM = os.environ.get('CHROMIUM') or shutil.which('chromium') or shutil.which(
    'chromium-browser') or shutil.which('google-chrome')
QUIET = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
         '--disable-background-networking', '--disable-component-update',
         '--disable-sync']

needs_chromium = pytest.mark.skipif(not CHROMIUM, reason='no Chromium on this machine')


class Visit(NamedTuple):
    """What a visit of a page brought to light."""

    complaints: list[str]
    requests: list[str]
    pictures: int
    broken: list[str]
    overflow: int
    clipped: int
    background: str


def visit(page_file: Path, width: int, dark: bool = False,
          screenshot: Path | None = None, whole: bool = False) -> Visit:
    """Open a file, scroll to its end, open what is folded."""
    from playwright.sync_api import sync_playwright
    complaints, requests = [], []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        context = browser.new_context(
            viewport=dict(width=width, height=900), offline=True,
            color_scheme='dark' if dark else 'light', service_workers='block')
        page = context.new_page()
        page.on('console', lambda message: complaints.append(message.text))
        page.on('pageerror', lambda error: complaints.append(str(error)))
        page.on('request', lambda request: requests.append(request.url))
        page.goto(page_file.resolve().as_uri())
        page.evaluate('document.querySelectorAll("details")'
                      '.forEach(d => d.open = true)')
        broken = page.evaluate(
            'Array.from(document.images).filter(i => !i.complete || !i.naturalWidth)'
            '.map(i => i.alt)')
        found = Visit(
            complaints, [url for url in requests if not url.startswith('data:')][1:],
            page.evaluate('document.images.length + document.querySelectorAll('
                          '"figure svg").length'),
            broken, page.evaluate('document.documentElement.scrollWidth - '
                                  'document.documentElement.clientWidth'),
            page.evaluate('Array.from(document.querySelectorAll(".scroll"))'
                          '.filter(s => s.scrollWidth > s.clientWidth).length'),
            page.evaluate('getComputedStyle(document.body).backgroundColor'))
        if screenshot:
            page.evaluate('document.querySelectorAll("details")'
                          '.forEach(d => d.open = false)')
            page.screenshot(path=screenshot, full_page=whole)
        browser.close()
    return found

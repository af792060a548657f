"""What ``make site`` adds to the pages of docs/: nothing is written twice.

The README becomes the first page, each config and each notebook has a page, and each
folder of the package one with its API. MkDocs calls the ``on_...`` functions, griffe
the class.
"""

import ast
import re
from pathlib import Path
from typing import Any

import griffe
from mkdocs.structure.files import File, Files
from nbconvert import MarkdownExporter

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / 'frcnn_plugin'
ROLES = re.compile(r':\w+:`(?:[^`<]*<)?~?([\w.]+)>?`')  # of Sphinx, in docstrings
TEXTS = {'index.md': 'README.md', 'changelog.md': 'CHANGELOG.md',
         'contributing.md': 'CONTRIBUTING.md'}  # pages that lie elsewhere
SKIPPED = ('configs',)
PEERS = 'peers'
FOUND_LAST = '---\nsearch:\n  boost: 0.1\n---\n'


def on_config(config: Any) -> Any:
    """Put the pages that are made into the navigation."""
    by_folder = {name: [{path.stem: page_of(path)} for path in configs(name)]
                 for name in ('', PEERS)}
    config.nav += [
        {'Notebooks': [page_of(path) for path in notebooks()]},
        {'Configs': [*by_folder[''], {'Those of peers': by_folder[PEERS]}]},
        {'API': [{name or 'frcnn_plugin': f'api/{name or "index"}.md'}
                 for name in ['', *rooms()]]},
        {'Project': [page for page, file in TEXTS.items()
                     if page != 'index.md' and (ROOT / file).exists()]}]
    return config


def on_files(files: Files, config: Any) -> Files:
    """Make them."""
    pages = {page: of_top_level((ROOT / file).read_text())
             for page, file in TEXTS.items() if (ROOT / file).exists()}
    pages |= {page_of(path): config_page(path) for path in configs() + configs(PEERS)}
    pages |= {f'api/{name}.md': api_page(name) for name in rooms()}
    listed = '\n'.join(
        f'- [`{name}`]({name}.md): {first_line(PACKAGE / name / "__init__.py")}'
        for name in rooms())
    pages['api/index.md'] = (
        f'{FOUND_LAST}# frcnn_plugin\n\n::: frcnn_plugin\n\n{listed}\n')
    for path in notebooks():
        text, made = MarkdownExporter().from_filename(
            str(path), resources=dict(unique_key=path.stem))  # what images are called
        pages |= {page_of(path): text} | {
            f'notebooks/{name}': image for name, image in made['outputs'].items()}
    for page, text in pages.items():
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Links to texts of the top level lead to their pages."""
    if '/' in page.file.src_uri:  # made here, and links to none
        return markdown
    for own, file in TEXTS.items():
        markdown = markdown.replace(f'](../{file}', f']({own}')
    return markdown


def of_top_level(text: str) -> str:
    """A text of the top level as a page beside those of docs/."""
    text = re.sub(r'^\[中文\].*\n', '', text, flags=re.M)
    for page, file in TEXTS.items():
        text = text.replace(f']({file}', f']({page}')
    text = text.replace('](notebooks)', f']({page_of(notebooks()[0])})')
    return text.replace('](docs/', '](')


def configs(folder: str = '') -> list[Path]:
    """The configs that a user names; in a subfolder, those of other code bases."""
    return sorted((ROOT / 'configs' / folder).glob('*.py'))


def notebooks() -> list[Path]:
    """The notebooks, in their order."""
    return sorted((ROOT / 'notebooks').glob('*.ipynb'))


def page_of(path: Path) -> str:
    """The name of the page of a config or a notebook."""
    return path.relative_to(ROOT).with_suffix('.md').as_posix()


def rooms() -> list[str]:
    """The folders of the package."""
    return sorted(path.parent.name for path in PACKAGE.glob('*/__init__.py')
                  if path.parent.name not in SKIPPED)


def config_page(path: Path) -> str:
    """The comment at the head of a config as text, and the config."""
    lines = path.read_text().splitlines()
    end = next((place for place, line in enumerate(lines)
                if not line.startswith('#')), len(lines))
    head = '\n'.join(line.removeprefix('#').removeprefix(' ') for line in lines[:end])
    code = '\n'.join(lines[end:])
    return f'# {path.stem}\n\n{head}\n\n```python\n{code}\n```\n'


def api_page(name: str) -> str:
    """All public modules of a folder."""
    folder = PACKAGE / name
    modules = [path for path in sorted(folder.rglob('*.py'))
               if not path.name.startswith('_') and has_public(path)]
    parts = [f'{FOUND_LAST}# {name}\n\n{docstring(folder / "__init__.py")}\n']
    for path in modules:
        dotted = '.'.join(path.relative_to(ROOT).with_suffix('').parts)
        parts.append(f'::: {dotted}\n')
    return '\n'.join(parts)


def has_public(path: Path) -> bool:
    """Whether a module defines something that others may use."""
    return any(isinstance(node, ast.FunctionDef | ast.ClassDef)
               and not node.name.startswith('_')
               for node in ast.parse(path.read_text()).body)


def docstring(path: Path) -> str:
    """That of a module, as Markdown."""
    return in_markdown(ast.get_docstring(ast.parse(path.read_text())) or '')


def first_line(path: Path) -> str:
    """The first line of a module's docstring."""
    return docstring(path).partition('\n')[0]


def in_markdown(text: str) -> str:
    """A docstring without what only Sphinx reads."""
    text = ROLES.sub(lambda found: f'`{found[1].rpartition(".")[2]}`', text)
    return re.sub(r'::$', ':', text, flags=re.M)


class Docstrings(griffe.Extension):
    """Makes Markdown of all docstrings."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Change one."""
        if obj.docstring:
            obj.docstring.value = in_markdown(obj.docstring.value)

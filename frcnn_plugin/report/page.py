"""Fills the HTML templates; a page is one file that needs no other and no network."""

from importlib import resources

from jinja2 import Environment, FunctionLoader, StrictUndefined

from ..version import __version__


def render(template: str, **values) -> str:
    """Fill a template.

    Args:
        template: One of ``templates/``.
        **values: What it shows; text is escaped unless it is markupsafe's ``Markup``.
    """
    environment = Environment(
        loader=FunctionLoader(read_template), autoescape=True,
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters['score'] = lambda value: (
        '' if value is None else f'{value:.3f}')
    return environment.get_template(template).render(version=__version__, **values)


def read_template(name: str) -> str:
    """The text of a template."""
    return (resources.files(__package__) / 'templates' / name).read_text('utf-8')

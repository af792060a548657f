"""Fills the HTML templates; a page is one file that needs no other and no network."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from ..version import __version__


def render(template: str, **values) -> str:
    """Fill one of ``templates/``; all text but markupsafe's ``Markup`` is escaped."""
    environment = Environment(
        loader=PackageLoader(__package__), autoescape=True,
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters['score'] = lambda value: (
        '' if value is None else f'{value:.3f}')
    return environment.get_template(template).render(version=__version__, **values)

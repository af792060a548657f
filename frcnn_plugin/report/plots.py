"""Curves drawn by matplotlib as SVG in the colours of the page around them."""

import io
import re
from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..evaluation.operating_points import Outcomes, curve
from .analysis import ClassResult
from .scores import Cut, Meaning
from .training_log import Points

INK = '#010203'  # stands for the colour of the page's text, light or dark
FAINT = '#010204'  # stands for its paler colour
COLORS = ('#3b82f6', '#f97316', '#22a55b', '#d946ef', '#e0484d',
          '#14a3b8', '#a3812c', '#8b7cf6', '#84a318', '#ec6f9e')  # on black and white
STYLE = {
    'svg.fonttype': 'none', 'svg.hashsalt': 'frcnn', 'font.size': 10,
    'text.color': INK, 'axes.labelcolor': INK, 'axes.edgecolor': FAINT,
    'xtick.color': INK, 'ytick.color': INK, 'grid.color': FAINT, 'grid.linewidth': 0.4,
    'axes.spines.top': False, 'axes.spines.right': False, 'axes.grid': True,
    'lines.linewidth': 1.5, 'legend.frameon': False, 'legend.fontsize': 9,
    'axes.prop_cycle': mpl.cycler(color=COLORS)}
LEGEND_SIZE = 10  # classes that a legend has room for


@mpl.rc_context(STYLE)
def curves(series: Mapping[str, Points], label: str, log: bool = False) -> Markup:
    """Series over the iterations, by name; the label is of the vertical axis."""
    figure, axes = new_figure()
    for name, points in series.items():
        steps, values = zip(*points, strict=True)
        axes.plot(steps, values, label=name, marker='.' if len(steps) < 30 else '')
    axes.set(xlabel='iteration', ylabel=label, yscale='log' if log else 'linear')
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    if len(series) > 1:
        figure.legend(loc='outside upper center', ncols=3)
    return as_svg(figure)


@mpl.rc_context(STYLE)
def precision_recall(results: Sequence[ClassResult]) -> Markup:
    """Precision over recall, one curve for each class."""
    figure, axes = new_figure()
    for result in results:
        if len(result.recall):
            axes.plot([0, *result.recall], [result.precision[0], *result.precision],
                      label=plain(result.name))
    axes.set(xlabel='recall', ylabel='precision', xlim=(0, 1.01), ylim=(0, 1.02))
    if 0 < len(results) <= LEGEND_SIZE:
        figure.legend(loc='outside upper center', ncols=4)
    return as_svg(figure)


@mpl.rc_context(STYLE)
def f1_over_score(outcomes: Sequence[Outcomes], cuts: Sequence[Cut],
                  classes: Sequence[str]) -> Markup:
    """F1 against the least score, one curve for each class, with a dot at its cut."""
    figure, axes = new_figure()
    scores = np.linspace(0, 1, 201)
    for each, cut, name in zip(outcomes, cuts, classes, strict=True):
        if each.num_gts:
            line, = axes.plot(scores, curve(each, scores).f1, label=plain(name))
            axes.plot(cut.score, cut.f1, 'o', color=line.get_color())
    axes.set(xlabel='least score', ylabel='F1', xlim=(0, 1.01), ylim=(0, 1.02))
    if 0 < len(classes) <= LEGEND_SIZE:
        figure.legend(loc='outside upper center', ncols=4)
    return as_svg(figure)


@mpl.rc_context(STYLE)
def reliability(meanings: Sequence[Meaning]) -> Markup:
    """The share of right detections against their score and their probability."""
    figure, axes = new_figure()
    axes.plot([0, 1], [0, 1], color=FAINT, linestyle='--')
    for each in meanings:
        axes.plot(each.bins.scores, each.bins.precision, marker='.',
                  label=f'{each.name}, D-ECE {each.d_ece:.3f}')
    axes.set(xlabel='score, or probability', ylabel='share that is right',
             xlim=(0, 1.01), ylim=(0, 1.02))
    figure.legend(loc='outside upper center', ncols=2)
    return as_svg(figure)


def plain(name: str) -> str:
    """A name in which nothing is a formula to matplotlib."""
    return name.replace('$', r'\$')


def new_figure() -> tuple[Figure, Axes]:
    """A figure small enough for its text to be readable on a phone."""
    figure = Figure(figsize=(5, 3.1), layout='constrained')
    return figure, figure.subplots()


def as_svg(figure: Figure) -> Markup:
    """The figure as an unescaped element of a page, as wide as its container."""
    text = io.StringIO()
    figure.savefig(text, format='svg', transparent=True)
    svg = text.getvalue()
    svg = svg[svg.index('<svg'):]
    svg = re.sub(r'<metadata>.*?</metadata>', '', svg, flags=re.DOTALL)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r'\1', svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r'\1 role="img"', svg, count=1)
    svg = svg.replace(FAINT, 'var(--faint)').replace(INK, 'currentColor')
    return Markup(re.sub(r"font: ([\d.]+)px [^;\"]*",
                         r'font: \1px system-ui, sans-serif', svg))

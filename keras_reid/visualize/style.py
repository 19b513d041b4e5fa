"""The one look of all pictures: two themes, one font choice, figures without global state."""

import io
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from keras_reid.checks import unknown_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["THEMES", "Theme", "figure_png", "new_axes", "new_figure", "theme_named"]


@dataclass(frozen=True)
class Theme:
    """Colours of a picture, all as hexadecimal strings.

    `series` is ordered so that neighbours differ in lightness as well as in hue: curves stay
    apart for colour-blind readers and in grey print.

    Example:
        >>> from keras_reid.visualize.style import THEMES
        >>> THEMES["light"].match
        '#1f8a4c'
    """

    background: str
    ink: str
    muted: str
    grid: str
    match: str
    mismatch: str
    series: tuple[str, ...]


THEMES = {
    "light": Theme(
        background="#ffffff",
        ink="#1c2430",
        muted="#667085",
        grid="#e4e7ec",
        match="#1f8a4c",
        mismatch="#c8402f",
        series=("#2457a8", "#d97a1e", "#2a9d8f", "#8b3f7f", "#7a8699", "#b0a12b"),
    ),
    "dark": Theme(
        background="#171c24",
        ink="#e8ecf2",
        muted="#98a2b3",
        grid="#2c3440",
        match="#4cc38a",
        mismatch="#f2705f",
        series=("#7aa7ee", "#f0a35b", "#5ccabb", "#cc8bc0", "#aab4c4", "#d8ca62"),
    ),
}


def theme_named(name: str) -> Theme:
    """Returns the theme of that name, ``"light"`` or ``"dark"``.

    Args:
        name: The theme's name.

    Returns:
        The colours.

    Raises:
        ValueError: No such theme.

    Example:
        >>> from keras_reid.visualize.style import theme_named
        >>> theme_named("dark").background
        '#171c24'
    """
    if name not in THEMES:
        raise unknown_name("theme", name, THEMES)
    return THEMES[name]


@lru_cache(maxsize=1)
def font_families() -> tuple[str, ...]:
    """Names the first plain sans-serif that this machine has, then matplotlib's own for odd glyphs."""
    from matplotlib import font_manager

    installed = set(font_manager.get_font_names())
    wanted = ("Inter", "Helvetica Neue", "Arial", "Liberation Sans")
    return (*[name for name in wanted if name in installed][:1], "DejaVu Sans")


def new_figure(width: float, height: float, theme: Theme) -> "Figure":
    """Makes an empty figure of `width` x `height` inches with a drawing canvas of its own.

    Nothing goes through ``matplotlib.pyplot``: no window, no list of open figures, no leak. A notebook shows the
    figure that a cell ends with, ``%matplotlib inline`` or not.

    Args:
        width: Inches.
        height: Inches.
        theme: Where the background comes from.

    Returns:
        The figure; `savefig` writes it.

    Example:
        >>> from keras_reid.visualize.style import THEMES, new_figure
        >>> new_figure(3, 2, THEMES["light"]).get_size_inches().tolist()
        [3.0, 2.0]
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), facecolor=theme.background)
    FigureCanvasAgg(figure)
    figure._repr_png_ = partial(figure_png, figure, dpi=100)  # type: ignore[attr-defined]  # IPython asks for it
    return figure


def new_axes(figure: "Figure", position: tuple[int, int, int], theme: Theme) -> "Axes":
    """Adds axes in the house look: no box, a faint grid, muted tick labels.

    Args:
        figure: The figure to add to.
        position: Rows, columns and number, as ``Figure.add_subplot`` counts them.
        theme: The colours.

    Returns:
        The axes.

    Example:
        >>> from keras_reid.visualize.style import THEMES, new_axes, new_figure
        >>> axes = new_axes(new_figure(3, 2, THEMES["dark"]), (1, 1, 1), THEMES["dark"])
        >>> axes.spines["top"].get_visible()
        False
    """
    axes = figure.add_subplot(*position, facecolor=theme.background)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(theme.muted)
    axes.grid(axis="y", color=theme.grid, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=theme.muted, length=0, labelsize=9, labelfontfamily=font_families()[0])
    return axes


def figure_png(figure: "Figure", dpi: int = 160) -> bytes:
    """Returns the figure as PNG bytes.

    Args:
        figure: What to draw.
        dpi: Dots per inch.

    Returns:
        The file's content.

    Example:
        >>> from keras_reid.visualize.style import THEMES, figure_png, new_figure
        >>> figure_png(new_figure(1, 1, THEMES["light"]))[1:4]
        b'PNG'
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, facecolor=figure.get_facecolor())
    return buffer.getvalue()

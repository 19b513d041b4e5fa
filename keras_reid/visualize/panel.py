"""Ranked panels: a query on the left, what the model found on the right, framed green or red."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from keras_reid.visualize.images import THUMBNAIL_SIZE, thumbnail
from keras_reid.visualize.style import Theme, font_families, new_figure, theme_named

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from keras_reid.evaluation.report import Report

__all__ = ["PanelImage", "PanelRow", "ranked_panel"]


@dataclass(frozen=True)
class PanelImage:
    """One picture of a panel.

    Attributes:
        path: The image file.
        caption: A short line below it, such as a score or a camera.
        match: True for the query's identity, False for another one, None where nobody knows.

    Example:
        >>> from keras_reid.visualize import PanelImage
        >>> PanelImage("a.jpg", "0.91", match=True).caption
        '0.91'
    """

    path: str
    caption: str = ""
    match: bool | None = None


@dataclass(frozen=True)
class PanelRow:
    """A query and its results, best first.

    Attributes:
        query: The picture that was looked for.
        results: What was found.
        title: A line above the row.

    Example:
        >>> from keras_reid.visualize import PanelImage, PanelRow
        >>> row = PanelRow(PanelImage("a.jpg"), (PanelImage("b.jpg", "0.91", True),), "person 7")
        >>> len(row.results)
        1
    """

    query: PanelImage
    results: tuple[PanelImage, ...]
    title: str = ""


# A picture is one unit wide and two high; the rest is measured in the same unit.
_GAP = 0.14
_QUERY_GAP = 0.42
_TITLE = 0.36
_CAPTION = 0.3
_INCHES = 0.82


def ranked_panel(
    source: "Report | Sequence[PanelRow]",
    queries: "str | Sequence[int]" = "random",
    *,
    count: int = 10,
    top_k: int = 10,
    seed: int = 0,
    theme: str = "light",
) -> "Figure":
    """Draws queries with their best matches: green frame and check mark right, red and cross wrong.

    The ranking is the protocol's: under ``"market1501"`` the query's own person in its own camera
    is left out, as it does not count either way.

    Args:
        source: A report of ``keras_reid.evaluate``, or rows of your own pictures.
        queries: ``"random"``, ``"hardest"`` (lowest average precision), ``"easiest"``, or row
            numbers of the query table. Rows of your own are all drawn.
        count: How many queries to choose, if they are chosen by name.
        top_k: How many results per query.
        seed: Seed of the random choice.
        theme: ``"light"`` or ``"dark"``.

    Returns:
        A matplotlib figure; ``figure.savefig("panel.png")`` writes it.

    Raises:
        ValueError: There is nothing to draw.

    Example:
        >>> from keras_reid.visualize import PanelImage, PanelRow, ranked_panel
        >>> row = PanelRow(PanelImage("a.jpg"), (PanelImage("b.jpg", "0.91", True),), "person 7")
        >>> figure = ranked_panel([row])

    Note:
        The pictures are drawn at one size, two high by one wide, whatever their own shape.
    """
    if isinstance(source, Sequence):
        rows = list(source)
    else:
        rows = source.panel_rows(queries, count=count, top_k=top_k, seed=seed)
    if not rows:
        raise ValueError(
            "There is no query to draw: `source` holds no row, or no query has a match. "
            "`str(report)` says why queries were skipped."
        )
    colours = theme_named(theme)
    columns = max(min(top_k, len(row.results)) for row in rows)
    width = 1 + _QUERY_GAP + columns * (1 + _GAP)
    height = len(rows) * (_TITLE + 2 + _CAPTION + _GAP)
    figure = new_figure((width + 2 * _GAP) * _INCHES, (height + 2 * _GAP) * _INCHES, colours)
    # One pair of axes for everything: a hundred of them would take seconds.
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(-_GAP, width + _GAP)
    axes.set_ylim(height + _GAP, -_GAP)
    axes.set_axis_off()
    for number, row in enumerate(rows):
        top = number * (_TITLE + 2 + _CAPTION + _GAP)
        _draw_row(axes, row, top, top_k, colours)
    return figure


def _draw_row(axes: "Axes", row: PanelRow, top: float, top_k: int, colours: Theme) -> None:
    """Draws the title, the query, and the results of one row."""
    axes.text(
        0, top + _TITLE * 0.66, row.title, color=colours.ink, fontsize=9, fontweight="bold",
        va="baseline", fontfamily=list(font_families()),
    )  # fmt: skip
    top += _TITLE
    draw_image(axes, row.query, 0.0, top, colours)
    left = 1 + _QUERY_GAP
    axes.plot([1 + _QUERY_GAP / 2 - _GAP / 4] * 2, [top, top + 2], color=colours.grid, linewidth=1)
    for image in row.results[:top_k]:
        draw_image(axes, image, left, top, colours)
        left += 1 + _GAP


def draw_image(axes: "Axes", image: PanelImage, left: float, top: float, colours: Theme) -> None:
    """Draws one picture with its frame and its caption."""
    from matplotlib.patches import Rectangle

    height, width = THUMBNAIL_SIZE
    pixels = thumbnail(image.path, (height, width))
    axes.imshow(pixels, extent=(left, left + 1, top + 2, top), interpolation="bilinear", aspect="auto", zorder=1)
    colour = {True: colours.match, False: colours.mismatch, None: colours.muted}[image.match]
    frame = Rectangle(
        (left, top), 1, 2, fill=False, edgecolor=colour, zorder=2,
        linewidth=0.8 if image.match is None else 2.4,
    )  # fmt: skip
    axes.add_patch(frame)
    mark = {True: "\N{CHECK MARK} ", False: "\N{MULTIPLICATION X} ", None: ""}[image.match]
    axes.text(
        left + 0.5, top + 2 + _CAPTION * 0.72, mark + image.caption, color=colour, fontsize=7.5,
        ha="center", va="baseline", fontfamily=list(font_families()),
    )  # fmt: skip

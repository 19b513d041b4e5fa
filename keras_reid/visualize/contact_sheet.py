"""A contact sheet: who is in a table, at a glance."""

from typing import TYPE_CHECKING

import numpy as np

from keras_reid.checks import check_positive_int
from keras_reid.visualize.images import THUMBNAIL_SIZE, thumbnail
from keras_reid.visualize.style import font_families, new_figure, theme_named

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from keras_reid.datasets import ReIDTable

__all__ = ["contact_sheet"]

_INCHES = 0.72
_LABEL = 0.95


def contact_sheet(
    table: "ReIDTable",
    *,
    identities: int = 8,
    per_identity: int = 10,
    seed: int = 0,
    theme: str = "light",
) -> "Figure":
    """Draws some identities of a table, one per line, their images ordered by camera.

    The first look at new data: are the identities right, are the crops, do the cameras differ?

    Args:
        table: Any table of images.
        identities: How many identities to draw, chosen at random.
        per_identity: How many images of each, chosen at random.
        seed: Seed of the choice.
        theme: ``"light"`` or ``"dark"``.

    Returns:
        A matplotlib figure.

    Raises:
        ValueError: The table is empty, or a number is below 1.

    Example:
        >>> from keras_reid.datasets import ReIDTable
        >>> from keras_reid.visualize import contact_sheet
        >>> table = ReIDTable.from_columns(["/a.jpg", "/b.jpg"], [7, 7], [0, 1])
        >>> figure = contact_sheet(table)
    """
    check_positive_int("identities", identities)
    check_positive_int("per_identity", per_identity)
    if not len(table):
        raise ValueError("`table` must hold at least one image. Received an empty table.")
    colours = theme_named(theme)
    generator = np.random.default_rng(seed)
    people = table.person_ids
    people = np.sort(generator.choice(people, min(identities, len(people)), replace=False))
    lines = []
    for person in people:
        rows = np.flatnonzero(table.person_id == person)
        rows = generator.choice(rows, min(per_identity, len(rows)), replace=False)
        lines.append(rows[np.lexsort((rows, table.camera_id[rows]))])
    columns = max(map(len, lines))

    figure = new_figure((_LABEL + columns * 1.06 + 0.1) * _INCHES, (len(lines) * 2.3 + 0.15) * _INCHES, colours)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(-_LABEL, columns * 1.06 + 0.1)
    axes.set_ylim(len(lines) * 2.3 + 0.05, -0.1)
    axes.set_axis_off()
    fonts = list(font_families())
    for number, (person, rows) in enumerate(zip(people, lines, strict=True)):
        top = number * 2.3
        axes.text(
            -0.12, top + 1, f"{person}", color=colours.ink, fontsize=9, fontweight="bold",
            ha="right", va="center", fontfamily=fonts,
        )  # fmt: skip
        for column, row in enumerate(rows):
            left = column * 1.06
            axes.imshow(
                thumbnail(table.path[row], THUMBNAIL_SIZE), extent=(left, left + 1, top + 2, top),
                interpolation="bilinear", aspect="auto",
            )  # fmt: skip
            camera = table.camera_id[row]
            axes.text(
                left + 0.5, top + 2.19, f"camera {camera}" if camera >= 0 else "",
                color=colours.muted, fontsize=6.5, ha="center", va="baseline", fontfamily=fonts,
            )  # fmt: skip
    return figure

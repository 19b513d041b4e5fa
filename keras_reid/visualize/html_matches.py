"""The part of the page that shows what matched: two images, and lines between their places."""

from typing import Any

import numpy as np

from keras_reid.visualize.images import as_pixels, data_uri, jpeg_bytes
from keras_reid.visualize.matches import LocalMatches, local_matches
from keras_reid.visualize.panel import PanelImage, PanelRow

__all__ = ["MATCHES_MEANING", "can_explain", "what_matched"]

_LINES = 24
_WIDTH = 100.0  # of an image, in the units of the drawing
_GAP = 40.0

MATCHES_MEANING = (
    "Every location of either image looks for its like in the other. The lines are the "
    f"{_LINES} such matches that weigh most: green speaks for the same person, red against, the stronger the thicker. "
    "The score is the model's own, before any post-processing; below it is what all matches together say for and "
    "against, in units of the logit."
)


def can_explain(model: Any) -> bool:
    """Whether a model can say what matched; None cannot."""
    return hasattr(model, "correspondences")


def what_matched(model: Any, row: PanelRow, opened: bool = False) -> str:
    """Returns a fold with the matches between a query and its first right and its first wrong result.

    Args:
        model: A model with `correspondences`.
        row: The query and its results.
        opened: Whether the fold is open.

    Returns:
        HTML; nothing where there is no result, or an image cannot be read any more.

    Example:
        >>> from keras_reid.visualize.html_matches import what_matched
        >>> what_matched(model, report.panel_rows("hardest")[0])  # doctest: +SKIP
    """
    ranked = list(enumerate(row.results, start=1))
    chosen = [next((pair for pair in ranked if pair[1].match is right), None) for right in (True, False)]
    compared = [pair for pair in chosen if pair is not None]
    if not compared:
        return ""
    try:
        pictures = [
            as_pixels(image.path, model.image_size, model.interpolation)
            for image in (row.query, *(image for _, image in compared))
        ]
    except ValueError:
        return ""
    maps = model.extract(np.stack(pictures))
    found = local_matches(model, maps[:1], maps[1:])
    figures = [
        _figure(pictures[0], picture, rank, image, matches)
        for picture, (rank, image), matches in zip(pictures[1:], compared, found, strict=True)
    ]
    return (
        f'<details class="why"{" open" if opened else ""}><summary>What matched</summary>\n<div class="matches">\n'
        + "\n".join(figures)
        + "\n</div></details>"
    )


def _figure(query: np.ndarray, result: np.ndarray, rank: int, image: PanelImage, matches: LocalMatches) -> str:
    """Draws one pair; colours and text follow the page."""
    height = _WIDTH * query.shape[0] / query.shape[1]
    right = _WIDTH + _GAP
    drawn = "".join(
        f'<image href="{data_uri("image/jpeg", jpeg_bytes(np.round(255 * picture).astype("uint8")))}" x="{left:g}" '
        f'width="{_WIDTH:g}" height="{height:g}" preserveAspectRatio="none"/>'
        for picture, left in ((query, 0.0), (result, right))
    )
    kind, mark, said = (
        ("match", "\N{CHECK MARK}", "right person")
        if image.match
        else ("mismatch", "\N{MULTIPLICATION X}", "other person")
    )
    in_favour, against = matches.totals
    numbers = f"score {matches.score:.2f}<br>for {in_favour:+.1f}, against {against:+.1f}".replace(
        "-", "\N{MINUS SIGN}"
    )
    return (
        f'<figure class="{kind}"><svg viewBox="0 0 {right + _WIDTH:g} {height:g}" role="img" '
        f'aria-label="What matched between the query and rank {rank}, {said}">'
        f"{drawn}{_lines(matches, height, right)}</svg>"
        f"<figcaption>{mark} rank {rank} \N{MIDDLE DOT} {numbers}</figcaption></figure>"
    )


def _lines(matches: LocalMatches, height: float, right: float) -> str:
    """Draws the strongest matches, the weakest of them first."""
    worth = matches.worth[:_LINES]
    strength = np.abs(worth) / max(np.abs(worth).max(initial=0.0), 1e-12)
    parts = []
    for number in reversed(range(len(worth))):
        size, share = np.array([_WIDTH, height]), strength[number]
        (x1, y1), (x2, y2) = matches.in_query[number] * size, matches.in_gallery[number] * size + [right, 0.0]
        parts.append(
            f'<g class="{"for" if worth[number] > 0 else "against"}" opacity="{0.45 + 0.5 * share:.2f}" '
            f'stroke-width="{0.5 + 1.5 * share:.2f}"><line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
            + "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{0.8 + share:.2f}"/>' for x, y in ((x1, y1), (x2, y2)))
            + "</g>"
        )
    return "".join(parts)

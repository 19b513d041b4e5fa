"""Features as a map: who lies beside whom, in two dimensions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from keras_reid.visualize.style import Theme, font_families, new_figure, theme_named

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["embedding_map"]

_MARKERS = ("o", "^", "s", "D", "v", "P")
_INCHES = 5.6


def embedding_map(
    features: npt.ArrayLike,
    labels: npt.ArrayLike,
    groups: npt.ArrayLike | None = None,
    *,
    group_names: Sequence[str] = (),
    perplexity: float = 30.0,
    seed: int = 0,
    title: str | None = None,
    theme: str = "light",
) -> "Figure":
    """Draws features by t-SNE: one colour per label, one marker per group.

    Near points are near in the space of features; how far apart clusters lie says little.

    Args:
        features: [N, D], N > 2; for embeddings that are compared by their cosine, of unit norm.
        labels: [N], whose colour a point has: identities, or -1 for nobody (grey).
        groups: [N] integers from 0, which marker it has: a table's `modality`, `domain` or `camera_id`. ``None``: all
            the same.
        group_names: What the legend calls the groups, e.g. ``("visible", "thermal")``; by default their numbers.
        perplexity: About how many neighbours a point has; at most (N - 1) / 3 is used.
        seed: Of t-SNE.
        title: A line above.
        theme: ``"light"`` or ``"dark"``.

    Returns:
        A matplotlib figure; ``figure.savefig("map.png")`` writes it.

    Raises:
        ValueError: Shapes that do not fit each other, groups that are no numbers from 0 to 5, or too few names.

    Example:
        >>> import numpy as np
        >>> from keras_reid.visualize import embedding_map
        >>> features = np.random.default_rng(0).normal(size=(12, 4)) + 9 * np.repeat(np.eye(3, 4), 4, axis=0)
        >>> figure = embedding_map(features, np.repeat([0, 1, 2], 4), np.tile([0, 1], 6))

    Reference:
        Van der Maaten and Hinton, "Visualizing Data using t-SNE", JMLR 2008, by scikit-learn.
    """
    from sklearn.manifold import TSNE

    features, labels, groups = _checked(features, labels, groups, group_names)
    points = TSNE(
        n_components=2, init="pca", perplexity=min(perplexity, (len(features) - 1) / 3), random_state=seed
    ).fit_transform(features)
    colours = theme_named(theme)
    figure = new_figure(_INCHES, _INCHES + (0.3 if title else 0.0), colours)
    axes = figure.add_axes((0.03, 0.03, 0.94, 0.94 - (0.05 if title else 0.0)), facecolor=colours.background)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color(colours.grid)
    paint = _paints(labels, colours)
    found = np.unique(groups)
    for group in found.tolist():
        here = groups == group
        name = group_names[group] if group_names else str(group)
        axes.scatter(
            points[here, 0], points[here, 1], c=[paint[label] for label in labels[here].tolist()],
            marker=_MARKERS[group], s=26, linewidths=0.4, edgecolors=colours.background, alpha=0.9, label=name,
        )  # fmt: skip
    if len(found) > 1:
        legend = axes.legend(
            frameon=False, labelcolor=colours.ink, prop={"family": list(font_families()), "size": 9}, loc="best"
        )
        for handle in filter(None, legend.legend_handles):  # a marker says the group, a colour would say an identity
            handle.set(facecolor=colours.muted)
    if title:
        figure.text(
            0.5, 0.975, title, color=colours.ink, fontsize=10, fontweight="bold", ha="center", va="center",
            fontfamily=list(font_families()),
        )  # fmt: skip
    return figure


def _checked(
    features: npt.ArrayLike, labels: npt.ArrayLike, groups: npt.ArrayLike | None, group_names: Sequence[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    vectors, names = np.asarray(features, "float32"), np.asarray(labels)
    marks = np.zeros(len(names), int) if groups is None else np.asarray(groups)
    if vectors.ndim != 2 or len(vectors) < 3 or not names.shape == marks.shape == (len(vectors),):
        raise ValueError(
            "`features` must be [N, D] with N > 2, `labels` and `groups` [N]. Received: "
            f"{vectors.shape}, {names.shape}, {marks.shape}."
        )
    if not np.isin(marks, range(len(_MARKERS))).all():
        raise ValueError(
            f"`groups` must be integers from 0 to {len(_MARKERS) - 1}. Received: {np.unique(marks).tolist()}."
        )
    if group_names and marks.max() >= len(group_names):
        raise ValueError(f"Group {marks.max()} has no name. Received the names: {list(group_names)}.")
    return vectors, names, marks


def _paints(labels: np.ndarray, colours: Theme) -> dict:
    """A colour per label: the theme's own while they last, else all around the colour circle."""
    from matplotlib import colormaps

    known = [label for label in np.unique(labels).tolist() if label != -1]
    if len(known) <= len(colours.series):
        chosen = list(colours.series[: len(known)])
    else:
        chosen = list(colormaps["turbo"](np.linspace(0.04, 0.96, len(known))))
    return {-1: colours.muted, **dict(zip(known, chosen, strict=True))}

"""People drawn by the library: four sites, six cameras each, look-alikes, poses, groups, times.

No benchmark can be downloaded without a signed form, so the library draws its own. The people are
articulated figures with clothes, bags and hair; the cameras differ in colour, blur, noise and view; the
trees on disk are in the layout of Market-1501. Everything is a pure function of its seeds.

The look of a person (`Person`, physical parameters) is apart from how a camera sees it: `paint` gives
each material of the figure a colour.
"""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from keras_reid.datasets.synthetic.camera import Camera, sample_cameras
from keras_reid.datasets.synthetic.difficulty import V1, VERSION, Difficulty
from keras_reid.datasets.synthetic.person import Person, sample_person
from keras_reid.datasets.synthetic.scene import Shot, draw, sample_shot
from keras_reid.datasets.synthetic.sites import SITES, Site
from keras_reid.datasets.synthetic.tree import render

if TYPE_CHECKING:
    from keras_reid.datasets.dataset import ReIDDataset

__all__ = [
    "SITES",
    "V1",
    "VERSION",
    "Camera",
    "Difficulty",
    "Person",
    "Shot",
    "Site",
    "cache_folder",
    "draw",
    "load",
    "render",
    "sample_cameras",
    "sample_person",
    "sample_shot",
]


def cache_folder() -> Path:
    """Returns where rendered trees are kept by default.

    Returns:
        ``synthetic`` in the folder that the environment variable ``KERAS_REID_CACHE`` names, else in
        ``~/.cache/keras_reid``.

    Example:
        >>> from keras_reid.datasets import synthetic
        >>> synthetic.cache_folder().name
        'synthetic'
    """
    cache = os.environ.get("KERAS_REID_CACHE") or Path.home() / ".cache" / "keras_reid"
    return Path(cache).expanduser() / "synthetic"


def load(
    root: str | os.PathLike[str] | None = None,
    site: str = "A",
    seed: int = 0,
    camera_seed: int = 0,
    *,
    train_identities: int = 300,
    test_identities: int = 150,
    images_per_camera: int = 4,
    groups: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> "ReIDDataset":
    """Renders a site, unless that was done before, and reads it with the Market-1501 reader.

    Args:
        root: Where trees are kept; `cache_folder` by default.
        site: ``A`` (concourse), ``B`` (campus), ``C`` (evening street) or ``D`` (promenade).
        seed: Seed of the people.
        camera_seed: Seed of the cameras.
        train_identities: People to train on.
        test_identities: People to test on.
        images_per_camera: Pictures of a person's passage before a camera.
        groups: Whether people walk in groups.
        progress: Called with (pictures done, pictures in all).

    Returns:
        The data set, named ``synthetic-`` and the site.

    Raises:
        ValueError: An argument is out of range; see `render`.

    Example:
        >>> import tempfile
        >>> from keras_reid.datasets import synthetic
        >>> with tempfile.TemporaryDirectory() as root:
        ...     dataset = synthetic.load(root, train_identities=2, test_identities=2)
        >>> dataset.protocol
        'market1501'
    """
    from keras_reid.datasets import market1501

    tree = render(
        cache_folder() if root is None else root,
        site,
        seed,
        camera_seed,
        train_identities=train_identities,
        test_identities=test_identities,
        images_per_camera=images_per_camera,
        groups=groups,
        progress=progress,
    )
    return replace(market1501.load(tree), name=f"synthetic-{site}")

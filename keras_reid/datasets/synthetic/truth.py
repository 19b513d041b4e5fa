"""Which pixel of a picture shows what: the ground truth that only a renderer has."""

import os
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from keras_reid.datasets.synthetic.dress import Material
from keras_reid.datasets.synthetic.raster import Floats, Light
from keras_reid.datasets.synthetic.scene import CANVAS, IMAGE_SIZE, arrange, paint_people
from keras_reid.datasets.synthetic.tree import Picture, picture

if TYPE_CHECKING:
    from keras_reid.datasets.synthetic.person import Person

__all__ = ["Material", "material_map"]

_EVEN = Light(0.0, 0.0, 0.0, ambient=1.0)


def material_map(shown: Picture | str | os.PathLike[str]) -> NDArray[np.uint8]:
    """Says for every pixel which material of the person it shows.

    What is not of the person whose picture it is (background, obstacles, another person) counts as
    ``Material.NOTHING``; ``map > 0`` is the visible silhouette. A camera's blur is left out.

    Args:
        shown: A picture of a tree that `keras_reid.datasets.synthetic.render` wrote, or what
            `keras_reid.datasets.synthetic.tree.picture` says of it.

    Returns:
        uint8 [128, 64], values of `Material`.

    Raises:
        ValueError: The picture is not one that the renderer wrote.

    Example:
        >>> from keras_reid.datasets import synthetic
        >>> from keras_reid.datasets.synthetic.tree import Picture
        >>> from keras_reid.datasets.synthetic.truth import Material, material_map
        >>> person, camera = synthetic.sample_person("A", 0, 0), synthetic.sample_cameras("A", 0)[0]
        >>> seen = material_map(Picture(person, camera, synthetic.sample_shot(camera, (0, 0)), None))
        >>> seen.shape, bool((seen == Material.UPPER).any())
        ((128, 64), True)
    """
    if not isinstance(shown, Picture):
        shown = picture(shown)
    count = len(Material)
    own = np.eye(count, dtype=np.float32)
    nothing = np.zeros((count, count), np.float32)
    nothing[Material.NOTHING] = 1.0

    def palette(who: "Person") -> Floats:
        return own if who is shown.person else nothing

    # Every material is a colour channel of its own, and what shows most of it is made of it.
    shares = np.zeros((count, *CANVAS), np.float32)
    shares[Material.NOTHING] = 1.0
    figures = arrange(shown.person, shown.company, shown.shot, shown.camera.pitch)
    paint_people(shares, figures, shown.shot, palette, nothing[:, :3], _EVEN)
    size = IMAGE_SIZE[1], IMAGE_SIZE[0]
    small = [np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BOX)) for plane in shares]
    return np.argmax(np.stack(small), axis=0).astype(np.uint8)

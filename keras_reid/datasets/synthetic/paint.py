"""What colour each material of a person has for an ordinary camera."""

import numpy as np

from keras_reid.datasets.synthetic.dress import Material
from keras_reid.datasets.synthetic.person import Person
from keras_reid.datasets.synthetic.raster import Floats

__all__ = ["visible_palette"]


def visible_palette(person: Person) -> Floats:
    """Returns the colour of each `Material` of a person.

    Args:
        person: Who.

    Returns:
        float32 [3, materials] RGB in [0, 1], column ``m`` for material ``m``.

    Example:
        >>> from keras_reid.datasets.synthetic import sample_person
        >>> from keras_reid.datasets.synthetic.paint import visible_palette
        >>> visible_palette(sample_person("A", 0, 0)).shape
        (3, 14)
    """
    colours = {
        Material.NOTHING: (0.0, 0.0, 0.0),
        Material.SKIN: person.skin,
        Material.HAIR: person.hair,
        Material.UPPER: person.upper,
        Material.UPPER_SECOND: person.upper_second,
        Material.INNER: person.inner,
        Material.LOGO: person.logo_colour,
        Material.LOWER: person.lower,
        Material.LOWER_SECOND: person.lower_second,
        Material.SHOE: person.shoes,
        Material.HAT: person.hat_colour,
        Material.BAG: person.bag_colour,
        Material.BAG_TRIM: person.bag_trim,
        Material.DARK: (0.07, 0.06, 0.06),
    }
    return np.array([colours[material] for material in Material], np.float32).T.copy()

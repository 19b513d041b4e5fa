"""What each material of a person is for a camera: a colour for an ordinary one, heat for a thermal one."""

import numpy as np

from keras_reid.datasets.synthetic.dress import Material
from keras_reid.datasets.synthetic.person import Person
from keras_reid.datasets.synthetic.raster import Floats

__all__ = ["thermal_palette", "visible_palette"]


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


def thermal_palette(person: Person) -> Floats:
    """Returns how warm each `Material` of a person looks from outside.

    Bare skin is warmest. A garment is as warm as what it lets through, so its cut counts (a shirt, a
    long sleeve, an open jacket, a coat) and its colours, patterns, logos and prints do not. What the body
    does not heat, such as bags, hats and glasses, is hardly warmer than the air. The values are our choice.

    Args:
        person: Who.

    Returns:
        float32 [1, materials] in [0, 1], column ``m`` for material ``m``; the air is at about 0.25.

    Example:
        >>> from keras_reid.datasets.synthetic import sample_person
        >>> from keras_reid.datasets.synthetic.dress import Material
        >>> from keras_reid.datasets.synthetic.paint import thermal_palette
        >>> warmth = thermal_palette(sample_person("A", 0, 0))[0]
        >>> bool(warmth[Material.SKIN] > warmth[Material.UPPER] > warmth[Material.BAG])
        True
    """
    long_sleeves, coat, long_legs = person.sleeves >= 0.9, person.hem >= 0.1, person.leg_cover >= 0.9
    upper = 0.74 - 0.1 * long_sleeves - 0.08 * person.open_front - 0.12 * coat
    lower = 0.56 if person.skirt else 0.6 if long_legs else 0.66
    warmth = {
        Material.NOTHING: 0.0,
        Material.SKIN: 0.95,
        Material.HAIR: 0.6,
        Material.UPPER: upper,
        Material.UPPER_SECOND: upper,
        Material.INNER: 0.78,
        Material.LOGO: upper,
        Material.LOWER: lower,
        Material.LOWER_SECOND: lower,
        Material.SHOE: 0.42,
        Material.HAT: 0.42,
        Material.BAG: 0.35,
        Material.BAG_TRIM: 0.39,
        Material.DARK: 0.4 if person.glasses else 0.88,
    }
    return np.array([[warmth[material] for material in Material]], np.float32)

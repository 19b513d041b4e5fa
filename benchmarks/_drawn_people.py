"""Drawn people measured on the renderer's ground truth: whose colours do the clothes have, and whose outline?

Colours: in the region where the structure donor's upper (or lower) garment is, by the renderer's map of its picture
less a border of one pixel, the mean colour in CIELAB. It is compared with the mean colours of both donors' own garments
in their own pictures. Compared are persons in different outfits whose upper and lower garments are well visible.

Outlines: a drawn image has no map, so a small network is trained to find the person of a rendered picture (by the
training people's pictures, with random colours and blur, so that it goes by shapes), and its intersection over union
with the true silhouettes of both donors is taken. What it reaches on the structure donors' own pictures is the ceiling.
"""

import keras
import numpy as np

from keras_reid.datasets import synthetic
from keras_reid.datasets.synthetic.truth import Material, material_map
from keras_reid.evaluation.generative import _lab
from keras_reid.pipeline.decode import decode

UPPER = (Material.UPPER, Material.UPPER_SECOND, Material.INNER, Material.LOGO)
LOWER = (Material.LOWER, Material.LOWER_SECOND)
VISIBLE = 60  # pixels of each garment

SIZE = (128, 64)


def read(table):
    """Pictures [N, 128, 64, 3] in [0, 1] and maps [N, 128, 64] of a table of synthetic people."""
    images = np.stack([decode(path, SIZE, "bicubic") for path in table.path])
    return images.astype("float32") / 255.0, np.stack([material_map(path) for path in table.path])


def garments(maps):
    """Regions [N, 2, 128, 64] of upper and lower garment, without their borders."""
    regions = np.stack([np.isin(maps, UPPER), np.isin(maps, LOWER)], axis=1)
    inside = regions.copy()
    for axis in (2, 3):
        for step in (-1, 1):
            inside &= np.roll(regions, step, axis)
    return inside


def mean_colours(images, regions):
    """CIELAB means [N, 2, 3] over the regions of each picture."""
    found = np.empty((len(images), 2, 3))
    for row, (image, pair) in enumerate(zip(images, regions, strict=True)):
        colours = _lab(image.astype("float64"))
        found[row] = [colours[region].mean(axis=0) for region in pair]
    return found


def outfits(table):
    """Numbers the outfits of a table's persons: neighbours share one."""
    return (table.person_id - table.person_id.min()) // synthetic.V1.lookalikes


def donors(table, maps, count, seed):
    """Rows of appearance and of structure donors: persons in different outfits, garments well visible."""
    rng = np.random.default_rng(seed)
    usable = np.flatnonzero((garments(maps).sum(axis=(2, 3)) >= VISIBLE).all(axis=1))
    pairs = rng.choice(usable, (4 * count, 2))
    worn = outfits(table)
    return pairs[worn[pairs[:, 0]] != worn[pairs[:, 1]]][:count].T


def exhibited(table, count=6):
    """Paths of persons in different outfits, fully visible, to look at."""
    maps = np.stack([material_map(path) for path in table.path])
    visible = np.flatnonzero((garments(maps).sum(axis=(2, 3)) >= 5 * VISIBLE).all(axis=1))
    worn, first = np.unique(outfits(table)[visible], return_index=True)
    spread = np.linspace(0, len(worn) - 1, min(count, len(worn))).round().astype(int)
    return table.path[visible[first[spread]]]


def coloured(drawn, again, images, maps, pairs):
    """Colour errors of drawings towards both donors, and of the structure donors drawn again from their own codes."""
    regions = garments(maps)
    drawn, again = (mean_colours(one, regions[pairs[1]]) for one in (drawn, again))
    other, own = (mean_colours(images[rows], regions[rows]) for rows in pairs)
    compared = {
        "to_appearance": drawn - other,
        "to_structure": drawn - own,
        "between_donors": own - other,
        "redrawn": again - own,
    }
    whole = {name: np.linalg.norm(difference, axis=-1) for name, difference in compared.items()}
    return {
        "colour_error": _means(whole),
        "lightness_error": _means({name: np.abs(difference[..., 0]) for name, difference in compared.items()}),
        "ab_error": _means({n: np.linalg.norm(difference[..., 1:], axis=-1) for n, difference in compared.items()}),
        "nearer_to_appearance": round(float((whole["to_appearance"] < whole["to_structure"]).mean()), 4),
    }


def outlined(drawn, images, maps, pairs, finder):
    """Intersection over union of drawings of the pairs with both donors' silhouettes."""
    appearance, structure = pairs
    found, seen = finder(drawn), finder(images[structure])
    true = maps > 0
    overlaps = {
        "to_structure": _overlap(found, true[structure]),
        "to_appearance": _overlap(found, true[appearance]),
        "between_donors": _overlap(true[structure], true[appearance]),
        "ceiling": _overlap(seen, true[structure]),
    }
    return {"outline_iou": _means(overlaps, 4)}


def _means(values, digits=2):
    return {name: round(float(value.mean()), digits) for name, value in values.items()}


def _overlap(first, second):
    both, either = (first & second).sum(axis=(1, 2)), (first | second).sum(axis=(1, 2))
    return both / np.maximum(either, 1)


class Finder:
    """Says which pixels show the person; learns it from rendered pictures in half a minute.

    Args:
        images: [N, 128, 64, 3] in [0, 1].
        maps: [N, 128, 64].
        seed: Of weights, order and colours.
        steps: Steps of 16 pictures.
    """

    def __init__(self, images, maps, seed, steps=400):
        rng = np.random.default_rng(seed)
        self.network = _finder_network()
        self.network.compile(keras.optimizers.Adam(2e-3), loss=keras.losses.BinaryCrossentropy(from_logits=True))
        silhouettes = (maps > 0).astype("float32")[..., None]
        for _ in range(steps):
            rows = rng.choice(len(images), 16)
            self.network.train_on_batch(_disguised(images[rows], rng), silhouettes[rows])

    def __call__(self, images):
        return self.network.predict(images, batch_size=32, verbose=0)[..., 0] > 0.0


def _finder_network():
    """Four resolutions down, four up, each with what was there on the way down."""

    def convolved(x, filters, strides=1):
        x = keras.layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)(x)
        return keras.layers.ReLU()(keras.layers.GroupNormalization(4)(x))

    inputs = keras.Input((*SIZE, 3))
    x, levels = convolved(inputs, 12), []
    for filters in (24, 32, 48, 48):
        levels.append(x)
        x = convolved(convolved(x, filters, strides=2), filters)
    for level in reversed(levels):
        x = keras.layers.Concatenate()([keras.layers.UpSampling2D()(x), level])
        x = convolved(x, level.shape[-1])
    return keras.Model(inputs, keras.layers.Conv2D(1, 1)(x))


def _disguised(images, rng):
    """Other colours, permuted channels, and for half of the pictures less sharpness, as drawn images have it."""
    images = images[..., rng.permutation(3)]
    images = np.clip(
        images * rng.uniform(0.6, 1.5, (len(images), 1, 1, 3)) + rng.normal(0, 0.05, (len(images), 1, 1, 3)), 0, 1
    )
    blurred = images.copy()
    for axis in (1, 2):
        blurred = (np.roll(blurred, 1, axis) + 2 * blurred + np.roll(blurred, -1, axis)) / 4
    chosen = rng.random((len(images), 1, 1, 1)) < 0.5
    return np.where(chosen, blurred, images).astype("float32")

"""Images out of codes: swaps and what lies between two images."""

import numpy as np
from keras import ops

from keras_reid.checks import unknown_name
from keras_reid.pipeline.arrays import image_array

__all__ = ["Generation"]

_CODES = ("appearance", "structure")


class Generation:
    """What a model with appearance encoder, structure encoder and decoder can draw."""

    def generate(self, appearance_images, structure_images, batch_size: int = 32) -> np.ndarray:
        """Draws the persons of some images in the clothes of others.

        Args:
            appearance_images: Whose clothes: [N,H,W,3] in [0,1] RGB of the model's `image_size`, or one image for all.
            structure_images: Whose pose and build: likewise.
            batch_size: Images at a time.

        Returns:
            Array [N,H,W,3] float32 in [0,1].

        Raises:
            ValueError: The arrays have other shapes or lie outside [0,1], or neither has one image and N differ.
        """
        appearance, structure = (image_array(x, self.image_size) for x in (appearance_images, structure_images))
        count = max(len(appearance), len(structure))
        if len(appearance) not in (1, count) or len(structure) not in (1, count):
            raise ValueError(
                "`generate` draws one image per pair: give as many images of either kind, or one for all. Received: "
                f"{len(appearance)} of appearance, {len(structure)} of structure."
            )
        drawn = []
        for start in range(0, count, batch_size):
            rows = slice(start, start + batch_size)
            clothes = _appearance(self, appearance[rows] if len(appearance) == count else appearance)
            shapes = _structure(self, structure[rows] if len(structure) == count else structure)
            size = min(batch_size, count - start)
            drawn.append(_painted(self, _repeated(shapes, size), _repeated(clothes, size)))
        return np.concatenate(drawn)

    def interpolate(self, first, second, steps: int = 8, code: str = "appearance", batch_size: int = 32) -> np.ndarray:
        """Draws images between pairs of images that differ in one code, the other being that of the first image.

        Args:
            first: [N,H,W,3] in [0,1] RGB of the model's `image_size`.
            second: Likewise.
            steps: Images per pair, from the first's code to the second's.
            code: Which is interpolated, ``"appearance"`` or ``"structure"``.
            batch_size: Pairs at a time.

        Returns:
            Array [N,steps,H,W,3] float32 in [0,1].

        Raises:
            ValueError: The arrays have other shapes, fewer than two steps, or an unknown code.
        """
        if code not in _CODES:
            raise unknown_name("code", code, _CODES)
        first, second = (image_array(x, self.image_size) for x in (first, second))
        if first.shape != second.shape or steps < 2:
            raise ValueError(
                "`interpolate` needs pairs of images and at least two steps. Received: "
                f"{len(first)} and {len(second)} images, {steps} steps."
            )
        drawn = []
        for start in range(0, len(first), batch_size):
            one, two = (x[start : start + batch_size] for x in (first, second))
            clothes, shapes = _appearance(self, one), _structure(self, one)
            read = _appearance if code == "appearance" else _structure
            begin, end = (clothes if code == "appearance" else shapes), read(self, two)
            row = []
            for share in np.linspace(0.0, 1.0, steps).tolist():
                between = (1.0 - share) * begin + share * end
                row.append(
                    _painted(self, shapes, between) if code == "appearance" else _painted(self, between, clothes)
                )
            drawn.append(np.stack(row, axis=1))
        return np.concatenate(drawn)


def _appearance(model, images):
    return ops.stop_gradient(model.appearance_encoder(model.normalization(images), training=False)["code"])


def _structure(model, images):
    return ops.stop_gradient(model.structure_encoder(model.normalization(images)))


def _painted(model, structure, appearance) -> np.ndarray:
    images = model.normalization.inverse(model.decoder([structure, appearance]))
    return np.clip(ops.convert_to_numpy(images), 0.0, 1.0)


def _repeated(codes, count: int):
    return codes if len(codes) == count else ops.repeat(codes, count, axis=0)

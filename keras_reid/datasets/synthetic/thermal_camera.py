"""How a thermal camera sees the same people: heat in place of colour, low contrast, noise, halo."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from keras_reid.datasets.synthetic.camera import Camera
from keras_reid.datasets.synthetic.paint import thermal_palette
from keras_reid.datasets.synthetic.person import Person
from keras_reid.datasets.synthetic.raster import Floats, Light
from keras_reid.datasets.synthetic.scene import IMAGE_SIZE, Shot, arrange, background, noise_at, paint_people
from keras_reid.datasets.synthetic.scenery import GROUND, plate
from keras_reid.datasets.synthetic.sites import find_site

__all__ = ["ThermalCamera", "draw_thermal", "sample_thermal_camera"]

_STREAM = 7008
# The ranges of the traits, the same at every site: heat knows no fashion.
_RANGES = {
    "air": (0.16, 0.3),
    "contrast": (0.25, 0.45),
    "gain": (0.68, 0.92),
    "black": (0.04, 0.14),
    "blur": (0.7, 1.3),
    "noise": (0.014, 0.03),
    "stripes": (0.006, 0.014),
    "resolution": (0.5, 0.75),
    "halo": (0.2, 0.45),
}
_HALO_REACH = 9  # radius in pixels of the picture
# Heat comes from the body itself; what is seen at a slant looks a little cooler.
_EMISSION = Light(0.0, 0.0, 1.0, 0.8)


@dataclass(frozen=True)
class ThermalCamera:
    """A camera for long-wave infrared, in which warm is bright.

    Args:
        view: Where it stands and what it looks at; its traits of light play no part.
        air: Warmth of walls and floors, of 1.
        contrast: How much they differ from one another.
        gain: Contrast of the picture.
        black: Level of black.
        blur: Radius of the blur in pixels.
        noise: Standard deviation of the noise.
        stripes: Standard deviation of the columns' own offsets, which stay from picture to picture.
        resolution: Share of the picture's rows that the sensor has.
        halo: Strength of the dark seam around what is warm.
    """

    view: Camera
    air: float
    contrast: float
    gain: float
    black: float
    blur: float
    noise: float
    stripes: float
    resolution: float
    halo: float


def sample_thermal_camera(view: Camera) -> ThermalCamera:
    """Draws the thermal camera that stands where an ordinary one stands: a pure function.

    Args:
        view: The ordinary camera.

    Returns:
        The thermal camera.

    Example:
        >>> from keras_reid.datasets import synthetic
        >>> from keras_reid.datasets.synthetic.thermal_camera import sample_thermal_camera
        >>> view = synthetic.sample_cameras("A", 0)[2]
        >>> sample_thermal_camera(view) == sample_thermal_camera(view)
        True
    """
    rng = np.random.default_rng((_STREAM, find_site(view.site).number, view.number, view.scenery_seed))
    return ThermalCamera(view, **{trait: float(rng.uniform(*limits)) for trait, limits in _RANGES.items()})


def draw_thermal(person: Person, camera: ThermalCamera, shot: Shot, company: Person | None = None) -> NDArray[np.uint8]:
    """Draws one thermal picture, before JPEG; a pure function of its arguments.

    The twin of `draw`: the same figure in the same pose. No colour and no pattern of clothes reaches it.

    Args:
        person: Who.
        camera: Seen by which camera.
        shot: How.
        company: The other person, drawn if the shot has a place for one.

    Returns:
        uint8 [128, 64, 3], three equal channels.

    Example:
        >>> from keras_reid.datasets import synthetic
        >>> from keras_reid.datasets.synthetic.thermal_camera import draw_thermal, sample_thermal_camera
        >>> view = synthetic.sample_cameras("A", 0)[2]
        >>> shot = synthetic.sample_shot(view, (0, 0))
        >>> picture = draw_thermal(synthetic.sample_person("A", 0, 0), sample_thermal_camera(view), shot)
        >>> picture.shape, bool((picture[..., 0] == picture[..., 2]).all())
        ((128, 64, 3), True)
    """
    heat = background(_warm_plate(camera), camera.view.horizon, shot)
    things = np.array([(0.0, camera.air + 0.05, camera.air + 0.1)], np.float32)
    paint_people(heat, arrange(person, company, shot, camera.view.pitch), shot, thermal_palette, things, _EMISSION)
    return _develop(heat[0], camera, shot)


@lru_cache(maxsize=24)
def _warm_plate(camera: ThermalCamera) -> NDArray[np.uint8]:
    """The view without people: uint8 [1, rows, columns]. Edges stay where they are, fine texture goes."""
    light = plate(camera.view).astype(np.float32).mean(0)
    soft = Image.fromarray(light.astype(np.uint8)).filter(ImageFilter.BoxBlur(2))
    relief = (np.asarray(soft).astype(np.float32) - np.float32(light.mean(dtype=np.float64))) / np.float32(255)
    rows = np.arange(len(light), dtype=np.float32)[:, None]
    floor = np.where(rows > GROUND, 0.04, 0.0)  # the floor is a little warmer than the wall
    warmth = camera.air + camera.contrast * relief + floor
    return np.round(255 * np.clip(warmth, 0, 1)).astype(np.uint8)[None]


@lru_cache(maxsize=1)
def _noise_plate() -> Floats:
    return np.random.default_rng(24).standard_normal((256, 256), np.float32)


@lru_cache(maxsize=24)
def _stripes(camera: ThermalCamera) -> Floats:
    rng = np.random.default_rng((_STREAM, camera.view.scenery_seed))
    return np.float32(camera.stripes) * rng.standard_normal(IMAGE_SIZE[1], np.float32)


def _develop(heat: Floats, camera: ThermalCamera, shot: Shot) -> NDArray[np.uint8]:
    rows, columns = IMAGE_SIZE
    # The same ratio both ways, as in `camera.develop`.
    across = max(round(columns * camera.resolution), 8)
    sensor = across, across * rows // columns
    small = Image.fromarray(np.clip(heat * np.float32(255), 0, 255).astype(np.uint8))
    small = small.resize(sensor, Image.Resampling.HAMMING).filter(ImageFilter.BoxBlur(camera.blur * camera.resolution))
    around = small.filter(ImageFilter.BoxBlur(_HALO_REACH * camera.resolution))
    seen, near = (
        np.asarray(layer.resize((columns, rows), Image.Resampling.BILINEAR)).astype(np.float32) / np.float32(255)
        for layer in (small, around)
    )
    seen = seen - np.float32(camera.halo) * np.maximum(near - np.float32(camera.air), 0) * (1 - seen)
    top, left = noise_at(shot)
    grey = np.float32(camera.black) + np.float32(camera.gain * shot.exposure) * seen + _stripes(camera)
    grey = grey + np.float32(camera.noise) * _noise_plate()[top : top + rows, left : left + columns]
    levels = np.round(np.clip(grey, 0, 1) * np.float32(255)).astype(np.uint8)
    return np.repeat(levels[..., None], 3, axis=2)

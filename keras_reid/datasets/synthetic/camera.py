"""The cameras of a site: where they look from, and what they do to the light that reaches them."""

from dataclasses import dataclass
from functools import lru_cache
from math import cos, pi, sin

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from keras_reid.datasets.synthetic.difficulty import V1
from keras_reid.datasets.synthetic.raster import Floats, Light
from keras_reid.datasets.synthetic.sites import find_site

__all__ = ["CAMERAS", "Camera", "develop", "sample_cameras"]

CAMERAS = 6
_STREAM = 7002
_TRAITS = (
    "gain warmth tint saturation gamma black ambient blur noise resolution quality horizon pitch sun hue axis"
).split()
_COLOUR = ("gain", "warmth", "tint", "saturation", "gamma", "hue")


@dataclass(frozen=True)
class Camera:
    """One camera of a site; see `Site` for the meaning of the traits they share.

    Args:
        site: The site's name.
        number: 0-based number of the camera.
        scenery_seed: Seed of what stands in its view.
        gain: Exposure.
        warmth: Red against blue.
        tint: Green against magenta.
        saturation: Strength of colour.
        gamma: Exponent of the tone curve.
        black: Level of black.
        ambient: Share of light without direction.
        blur: Radius of the lens blur in pixels.
        noise: Standard deviation of the noise.
        resolution: Share of the picture's rows that the sensor has.
        quality: JPEG quality.
        horizon: Where the wall meets the floor, as a fraction of the picture from the top.
        pitch: How far the camera looks down, radians.
        sun: Direction of the light around the vertical, radians; 0 comes from the camera.
        hue: Rotation of the colours, radians.
        axis: Direction in which people walk past, radians; 0 is towards the camera.
    """

    site: str
    number: int
    scenery_seed: int
    gain: float
    warmth: float
    tint: float
    saturation: float
    gamma: float
    black: float
    ambient: float
    blur: float
    noise: float
    resolution: float
    quality: float
    horizon: float
    pitch: float
    sun: float
    hue: float
    axis: float

    @property
    def light(self) -> Light:
        """The light on the people."""
        return Light(0.75 * sin(self.sun), -0.45, 0.35 + 0.5 * cos(self.sun), self.ambient)


def sample_cameras(site: str, camera_seed: int) -> tuple[Camera, ...]:
    """Draws the six cameras of a site: a pure function of its arguments.

    Every trait is stratified: its range is cut in six, each camera gets another sixth. So one draw
    of cameras is about as hard as the next.

    Args:
        site: ``A`` to ``D``.
        camera_seed: Seed of the cameras, apart from the people's.

    Returns:
        Six cameras.

    Example:
        >>> from keras_reid.datasets.synthetic import sample_cameras
        >>> [camera.number for camera in sample_cameras("A", 0)]
        [0, 1, 2, 3, 4, 5]
    """
    place = find_site(site)
    rng = np.random.default_rng((_STREAM, place.number, camera_seed))
    own = {
        "horizon": (0.22, 0.62),
        "pitch": (0.02, 0.32),
        "sun": (-1.5, 1.5),
        "hue": (-0.16, 0.16),
        "axis": (0.0, pi),
    }
    columns: dict[str, list[float]] = {}
    for trait in _TRAITS:
        low, high = own[trait] if trait in own else getattr(place, trait)
        middle = (low + high) / 2
        strata = (rng.permutation(CAMERAS) + rng.random(CAMERAS)) / CAMERAS
        values = low + (high - low) * strata
        if trait in _COLOUR:
            values = middle + V1.camera_colour * (values - middle)
        columns[trait] = values.tolist()
    seeds = rng.integers(2**31, size=CAMERAS).tolist()
    return tuple(Camera(site, i, seeds[i], **{trait: columns[trait][i] for trait in _TRAITS}) for i in range(CAMERAS))


@lru_cache(maxsize=1)
def _noise_plate() -> Floats:
    rng = np.random.default_rng(22)
    luma = rng.standard_normal((1, 256, 256), np.float32)
    return 0.85 * luma + 0.5 * rng.standard_normal((3, 256, 256), np.float32)


@lru_cache(maxsize=64)
def _colour_matrix(camera: Camera) -> NDArray[np.float64]:
    """Saturation and hue rotation around grey, then white balance and gain."""
    grey = np.full((3, 3), 1 / 3)
    axis = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3)
    turn = grey + np.cos(camera.hue) * (np.eye(3) - grey) + np.sin(camera.hue) * axis
    saturate = grey + camera.saturation * (np.eye(3) - grey)
    balance = np.array([1 + camera.warmth, 1 + camera.tint, 1 - camera.warmth])
    return camera.gain * balance[:, None] * (saturate @ turn)


@lru_cache(maxsize=64)
def _tone_curve(camera: Camera) -> NDArray[np.uint8]:
    values = (np.arange(256) / 255) ** camera.gamma
    return np.round(255 * (camera.black + (1 - camera.black) * values)).astype(np.uint8)


def develop(
    scene: Floats, camera: Camera, size: tuple[int, int], exposure: float, noise_at: tuple[int, int]
) -> NDArray[np.uint8]:
    """Turns the light of a scene into the picture the camera delivers, before JPEG.

    Optics and sensor rows first, then white balance, gain, noise and tone curve.

    Args:
        scene: float32 [3, H, W] in about [0, 1], at any larger size.
        camera: The camera.
        size: Rows and columns of the picture.
        exposure: Factor on the camera's gain.
        noise_at: Where in the plate of noise this picture begins, each below 128.

    Returns:
        uint8 [rows, columns, 3].
    """
    rows, columns = size
    # To 8 bits plane by plane: PIL resizes bytes much faster than floats.
    planes = np.minimum(np.maximum(scene * np.float32(255), 0), 255).astype(np.uint8)
    across = max(round(columns * camera.resolution), 8)
    # The same ratio both ways: else the versions of Pillow differ in which way they resize first.
    sensor = across, across * rows // columns
    blurred = ImageFilter.BoxBlur(camera.blur * camera.resolution)
    light = []
    for plane in planes:
        seen = Image.fromarray(plane).resize(sensor, Image.Resampling.HAMMING).filter(blurred)
        if sensor != (columns, rows):
            seen = seen.resize((columns, rows), Image.Resampling.BILINEAR)
        light.append(np.asarray(seen).astype(np.float32))
    noise = _noise_plate()[:, noise_at[0] : noise_at[0] + rows, noise_at[1] : noise_at[1] + columns]
    out = np.empty((rows, columns, 3), np.uint8)
    for channel, weights in enumerate(_colour_matrix(camera) * exposure):
        value = noise[channel] * np.float32(255 * camera.noise) + np.float32(0.5)
        for plane, weight in zip(light, weights.tolist(), strict=True):
            value += plane * np.float32(weight)
        out[..., channel] = np.minimum(np.maximum(value, 0), 255)
    return _tone_curve(camera)[out]

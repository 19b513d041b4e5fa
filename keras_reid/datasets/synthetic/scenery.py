"""What stands behind the people: a wall, a floor and things, one wide plate per camera."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from keras_reid.datasets.synthetic.camera import Camera
from keras_reid.datasets.synthetic.difficulty import V1
from keras_reid.datasets.synthetic.sites import Site, find_site

__all__ = ["GROUND", "PLATE", "plate", "thing_colour"]

_DRAWN = (448, 896)  # rows, columns of a plate as it is painted, two pixels to one of the picture
PLATE = (336, 672)  # and as it is used, at the figures' supersampling
_GROUND = 200  # row where the wall meets the floor
GROUND = _GROUND * PLATE[0] // _DRAWN[0]
_VANISHING = 110  # rows above the ground line where the floor's lines meet

Colour = tuple[int, int, int]


def _hex(text: str) -> Colour:
    return int(text[:2], 16), int(text[2:4], 16), int(text[4:], 16)


def _tone(colour: Colour, factor: float) -> Colour:
    red, green, blue = (min(int(channel * factor), 255) for channel in colour)
    return red, green, blue


def _pick(rng: np.random.Generator, colours: tuple[str, ...]) -> Colour:
    base = _hex(colours[int(rng.integers(len(colours)))])
    return _tone(base, float(rng.uniform(0.85, 1.12)))


def _cloud(rng: np.random.Generator, cell: int, rows: int, columns: int) -> NDArray[np.float32]:
    """Smooth noise in about [-1, 1]."""
    coarse = rng.random((rows // cell + 2, columns // cell + 2)).astype(np.float32)
    image = Image.fromarray(coarse).resize((columns, rows), Image.Resampling.BICUBIC)
    return 2 * np.asarray(image) - 1


def _floor(rng: np.random.Generator, site: Site) -> NDArray[np.float32]:
    rows, columns = _DRAWN[0] - _GROUND, _DRAWN[1]
    near = 1 / (np.arange(rows, dtype=np.float32)[:, None] + _VANISHING)
    ahead = 22000 * near  # distance along the floor, in pixels at the camera
    across = (np.arange(columns, dtype=np.float32)[None, :] - columns / 2) * near * 220
    kind = rng.integers(4)
    cell = rng.uniform(22, 46)
    shade = 1 + 0.05 * _cloud(rng, 40, rows, columns) + 0.03 * _cloud(rng, 6, rows, columns)
    if kind == 0:  # tiles
        joints = ((ahead / cell) % 1 < 0.07) | ((across / cell) % 1 < 0.05)
        shade *= np.where(joints, 0.8, 1.0)
    elif kind == 1:  # chequered slabs
        odd = (np.floor(ahead / (1.6 * cell)) + np.floor(across / (1.6 * cell))) % 2
        shade *= 1 + 0.12 * (odd - 0.5)
    elif kind == 2:  # planks
        shade *= 1 + 0.06 * np.sin(np.floor(across / (0.5 * cell)) * 12.9)
        shade *= np.where((across / (0.5 * cell)) % 1 < 0.08, 0.85, 1.0)
    else:  # asphalt with a painted line
        shade += 0.05 * _cloud(rng, 3, rows, columns)
        at = rng.uniform(20, 90)
        shade *= np.where(np.abs(ahead - at - 0.2 * across) < 4, 1.45, 1.0)
    shade *= np.linspace(0.88, 1.08, rows, dtype=np.float32)[:, None]
    return shade[..., None] * np.array(_pick(rng, site.floors), np.float32)


def _wall(rng: np.random.Generator, site: Site) -> NDArray[np.float32]:
    colour, kind = _pick(rng, site.walls), str(rng.choice(site.surfaces))
    image = Image.new("RGB", (_DRAWN[1], _GROUND), colour)
    draw = ImageDraw.Draw(image)
    if kind == "panels":
        step = int(rng.integers(45, 110))
        for x in range(0, _DRAWN[1], step):
            draw.rectangle((x, 0, x + step - 3, _GROUND), fill=_tone(colour, rng.uniform(0.92, 1.08)))
            draw.line((x - 2, 0, x - 2, _GROUND), fill=_tone(colour, 0.7), width=2)
        draw.rectangle((0, 60, _DRAWN[1], 64), fill=_tone(colour, 0.8))
    elif kind == "brick":
        for i, y in enumerate(range(0, _GROUND, 11)):
            for x in range(-(i % 2) * 14, _DRAWN[1], 28):
                draw.rectangle((x + 1, y + 1, x + 26, y + 9), fill=_tone(colour, rng.uniform(0.85, 1.1)))
    elif kind == "glass":
        step = int(rng.integers(70, 120))
        for x in range(0, _DRAWN[1], step):
            pane = _pick(rng, site.things + site.walls)
            draw.rectangle((x + 4, 12, x + step - 4, _GROUND - 22), fill=_tone(pane, 0.9))
            draw.polygon(
                ((x + 10, _GROUND - 22), (x + 40, 12), (x + 58, 12), (x + 28, _GROUND - 22)),
                fill=_tone(pane, 1.15),
            )
    values = np.asarray(image).astype(np.float32)
    rough = 0.3 if kind == "hedge" else 0.04
    shade = 1 + rough * _cloud(rng, 9, _GROUND, _DRAWN[1]) + 0.08 * _cloud(rng, 90, _GROUND, _DRAWN[1])
    if kind == "hedge":
        values = values * 0.25 + np.array((48, 82, 40), np.float32)
    return values * shade[..., None]


def _thing(rng: np.random.Generator, draw: ImageDraw.ImageDraw, site: Site, x: int) -> None:
    colour = _pick(rng, site.things)
    kind = rng.integers(6)
    if kind == 0:  # door
        draw.rectangle((x, 20, x + 76, _GROUND), fill=_tone(colour, 0.6))
        draw.rectangle((x + 5, 26, x + 71, _GROUND), fill=colour)
        draw.rectangle((x + 60, 110, x + 64, 122), fill=_tone(colour, 1.6))
    elif kind == 1:  # poster
        top = int(rng.integers(20, 80))
        draw.rectangle((x, top, x + 60, top + 84), fill=_tone(colour, 1.1))
        draw.ellipse((x + 10, top + 12, x + 50, top + 52), fill=_pick(rng, site.accents))
        for y in range(top + 60, top + 80, 7):
            draw.rectangle((x + 8, y, x + 52, y + 2), fill=_tone(colour, 0.5))
    elif kind == 2:  # plant in a pot
        draw.rectangle((x + 10, _GROUND - 18, x + 44, _GROUND + 26), fill=colour)
        for _ in range(26):
            dx, dy = rng.normal(27, 17), rng.normal(_GROUND - 62, 24)
            green = _tone((58, 98, 46), rng.uniform(0.6, 1.3))
            draw.ellipse((x + dx - 9, dy - 6, x + dx + 9, dy + 6), fill=green)
    elif kind == 3:  # column
        wide = int(rng.integers(14, 34))
        draw.rectangle((x, 0, x + wide, _GROUND + 14), fill=_tone(colour, 0.8))
        draw.rectangle((x, 0, x + wide // 3, _GROUND + 14), fill=_tone(colour, 1.05))
    elif kind == 4:  # bench
        draw.rectangle((x, _GROUND - 34, x + 110, _GROUND - 24), fill=colour)
        draw.rectangle((x, _GROUND - 2, x + 110, _GROUND + 8), fill=_tone(colour, 0.85))
        for foot in (x + 8, x + 96):
            draw.rectangle((foot, _GROUND - 34, foot + 6, _GROUND + 32), fill=_tone(colour, 0.5))
    else:  # box, bin or vending machine
        tall, wide = int(rng.integers(50, 150)), int(rng.integers(40, 70))
        draw.rectangle((x, _GROUND + 16 - tall, x + wide, _GROUND + 16), fill=colour)
        draw.rectangle((x, _GROUND + 16 - tall, x + wide, _GROUND + 26 - tall), fill=_tone(colour, 0.6))
        draw.rectangle((x + 8, _GROUND + 40 - tall, x + wide - 8, _GROUND), fill=_tone(colour, 1.25))


@lru_cache(maxsize=24)
def plate(camera: Camera) -> NDArray[np.uint8]:
    """Paints the view of a camera without people.

    Args:
        camera: The camera; its ``scenery_seed`` decides.

    Returns:
        uint8 [3, rows, columns] of the size `PLATE`, read-only.
    """
    site = find_site(camera.site)
    rng = np.random.default_rng((7003, camera.scenery_seed))
    bare = np.concatenate([_wall(rng, site), _floor(rng, site)])
    image = Image.fromarray(np.clip(bare, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    skirting = _tone(_pick(rng, site.walls), 0.6)
    draw.rectangle((0, _GROUND - 6, _DRAWN[1], _GROUND), fill=skirting)
    for x in range(-40, _DRAWN[1], 95):
        if rng.random() < 0.75:
            _thing(rng, draw, site, x + int(rng.integers(-25, 25)))
    things = np.asarray(image.filter(ImageFilter.BoxBlur(1.2))).astype(np.float32)
    mixed = bare + V1.clutter * (things - bare)
    mixed *= (1 + 0.16 * _cloud(rng, 150, *_DRAWN))[..., None]  # pools of light
    whole = Image.fromarray(np.clip(mixed, 0, 255).astype(np.uint8))
    small = np.asarray(whole.resize((PLATE[1], PLATE[0]), Image.Resampling.BILINEAR))
    view = np.ascontiguousarray(small.transpose(2, 0, 1))
    view.flags.writeable = False
    return view


def thing_colour(camera: Camera) -> tuple[float, float, float]:
    """Returns the colour of what stands before people in a camera's view, RGB in [0, 1]."""
    rng = np.random.default_rng((7004, camera.scenery_seed))
    red, green, blue = _pick(rng, find_site(camera.site).things)
    return red / 255, green / 255, blue / 255

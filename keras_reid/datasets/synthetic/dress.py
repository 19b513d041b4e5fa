"""What covers each part of the body: garments, patterns and marks as materials on (u, v)."""

from collections.abc import Callable
from enum import IntEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from keras_reid.datasets.synthetic.person import Person
from keras_reid.datasets.synthetic.raster import Floats, Texture

__all__ = ["Material", "hair_shell", "head", "leg", "pattern_mask", "sleeve", "trunk", "wrap"]


class Material(IntEnum):
    """What a surface is made of. Painters give each a colour, a thermal camera a temperature."""

    NOTHING = 0
    SKIN = 1
    HAIR = 2
    UPPER = 3
    UPPER_SECOND = 4
    INNER = 5
    LOGO = 6
    LOWER = 7
    LOWER_SECOND = 8
    SHOE = 9
    HAT = 10
    BAG = 11
    BAG_TRIM = 12
    DARK = 13


Masks = Callable[[Floats, Floats], NDArray[np.bool_]]


@lru_cache(maxsize=1)
def _blotches() -> NDArray[np.bool_]:
    rng = np.random.default_rng(21)
    values = rng.standard_normal((64, 64))
    for axis in (0, 1, 0, 1):
        values = values + np.roll(values, 1, axis) + np.roll(values, -1, axis)
    return values > np.quantile(values, 0.62)


def _fraction(values: Floats) -> Floats:
    return values - np.floor(values)


def pattern_mask(name: str, across: Floats, along: Floats, scale: float) -> NDArray[np.bool_]:
    """Says where a pattern shows its second colour.

    Args:
        name: One of `PATTERNS` but ``plain``.
        across: Coordinate across, in units of the pattern's length.
        along: Coordinate along, from 0 to 1 on the trunk.
        scale: Repeats per unit.

    Returns:
        A mask of the coordinates' shape.
    """
    if name == "stripes":
        return _fraction(along * scale) < 0.42
    if name == "pinstripes":
        return _fraction(across * (1.3 * scale)) < 0.3
    if name == "check":
        return (_fraction(along * scale) < 0.3) | (_fraction(across * scale) < 0.3)
    if name == "dots":
        u, v = _fraction(across * scale) - 0.5, _fraction(along * scale) - 0.5
        return u * u + v * v < 0.085
    if name == "block":
        return along < 0.42
    if name == "diagonal":
        return _fraction((along + across) * (0.6 * scale)) < 0.45
    column = (across * (4 * scale)).astype(np.intp) % 64  # camouflage
    row = (along * (4 * scale)).astype(np.intp) % 64
    return _blotches()[row, column]


def _mark(name: str, u: Floats, v: Floats) -> NDArray[np.bool_]:
    """A mark in the square [-1, 1]^2."""
    if name == "disc":
        return u * u + v * v < 1
    if name == "bar":
        return (np.abs(u) < 1.3) & (np.abs(v) < 0.4)
    if name == "square":
        return (np.abs(u) < 0.9) & (np.abs(v) < 0.9)
    return (np.abs(u) < 1) & (np.abs(v - 0.7 * np.abs(u) + 0.4) < 0.4)  # chevron


def trunk(person: Person) -> Texture:
    """Returns the texture of the trunk: garment, pattern, opening, marks, straps, scarf."""

    def texture(u: Floats, v: Floats) -> NDArray[np.intp]:
        material = np.full(u.shape, int(Material.UPPER), np.intp)
        side = np.abs(u)
        if person.upper_pattern != "plain":
            mask = pattern_mask(person.upper_pattern, u * np.float32(0.36) + 4, v, person.upper_scale)
            material[mask] = Material.UPPER_SECOND
        if person.back_print != "none":
            back = (np.float32(np.pi) - side) * np.sign(u)
            material[_mark(person.back_print, back * 1.6, (v - np.float32(0.36)) * 6)] = Material.LOGO
        if person.open_front:
            material[side < 0.16 + 0.34 * v] = Material.INNER
        else:
            material[v < 0.09 - 0.13 * side] = Material.INNER  # collar
        if person.logo != "none":
            material[_mark(person.logo, (u - np.float32(0.1)) * 3.2, (v - np.float32(0.34)) * 9)] = Material.LOGO
        if person.scarf:
            material[(v < 0.13) | ((np.abs(u - 0.25) < 0.13) & (v < 0.55))] = Material.UPPER_SECOND
        if person.bag == "backpack":
            material[(np.abs(side - 0.72) < 0.13) & (v < 0.72)] = Material.BAG
        elif person.bag == "shoulder":
            across = u * person.bag_side
            line = np.where(side < np.pi / 2, across + 0.8, np.where(across > 0, 3.9 - across, -2.3 - across))
            material[(np.abs(v - line * 0.45) < 0.045)] = Material.BAG
        return material

    return texture


def sleeve(person: Person, begin: float, end: float) -> Texture | int:
    """Returns the texture of a piece of the arm from ``begin`` to ``end`` of its length."""
    cover = (person.sleeves - begin) / (end - begin)
    if cover <= 0:
        return int(Material.SKIN)
    striped = person.upper_pattern not in ("plain", "block")
    if cover >= 1 and not striped:
        return int(Material.UPPER)

    def texture(u: Floats, v: Floats) -> NDArray[np.intp]:
        material = np.full(u.shape, int(Material.UPPER), np.intp)
        if striped:
            along = (v * np.float32(end - begin) + np.float32(begin)) * np.float32(1.1)
            mask = pattern_mask(person.upper_pattern, u * np.float32(0.1) + 4, along, person.upper_scale)
            material[mask] = Material.UPPER_SECOND
        material[v > cover] = Material.SKIN
        return material

    return texture


def leg(person: Person, begin: float, end: float, outside: float) -> Texture | int:
    """Returns the texture of a piece of the leg; ``outside`` is where its seam lies in ``u``."""
    cover = 0.0 if person.skirt else (person.leg_cover - begin) / (end - begin)
    if cover <= 0:
        return int(Material.SKIN)
    if cover >= 1 and person.lower_pattern == "plain":
        return int(Material.LOWER)

    def texture(u: Floats, v: Floats) -> NDArray[np.intp]:
        material = np.full(u.shape, int(Material.LOWER), np.intp)
        if person.lower_pattern == "side":
            material[np.abs(u - outside) < 0.3] = Material.LOWER_SECOND
        elif person.lower_pattern != "plain":
            along = v * np.float32(end - begin) + np.float32(begin)
            mask = pattern_mask(person.lower_pattern, u * np.float32(0.15) + 4, along, 5.0)
            material[mask] = Material.LOWER_SECOND
        material[v > cover] = Material.SKIN
        return material

    return texture


def wrap(person: Person) -> Texture | int:
    """Returns the texture of a skirt."""
    if person.lower_pattern in ("plain", "side"):
        return int(Material.LOWER)

    def texture(u: Floats, v: Floats) -> NDArray[np.intp]:
        material = np.full(u.shape, int(Material.LOWER), np.intp)
        mask = pattern_mask(person.lower_pattern, u * np.float32(0.36) + 4, v, 4.0)
        material[mask] = Material.LOWER_SECOND
        return material

    return texture


def head(person: Person) -> Texture:
    """Returns the texture of the bare head: face, eyes, glasses and beard."""

    def texture(u: Floats, v: Floats) -> NDArray[np.intp]:
        material = np.full(u.shape, int(Material.SKIN), np.intp)
        side = np.abs(u)
        if person.beard:
            material[(v > 0.66) & (side < 1.35) & ((v > 0.76) | (side > 0.5))] = Material.HAIR
        eye_line = np.abs(v - np.float32(0.47))
        if person.glasses:
            material[(eye_line < 0.05) & (side < 1.5) & ((side > 0.1) | (eye_line < 0.02))] = Material.DARK
        else:
            material[(np.abs(side - 0.42) < 0.16) & (eye_line < 0.045)] = Material.DARK
        return material

    return texture


def hair_shell(person: Person) -> Texture:
    """Returns the texture of the hair around the head; see-through over the face."""
    long_hair = person.hair_style in ("long", "round")

    def texture(u: Floats, v: Floats) -> NDArray[np.intp]:
        side = np.abs(u)
        border = np.where(side < 1.0, 0.27, np.where(side < 1.75, 0.52, 0.8))
        if long_hair:
            border = np.where(side < 0.85, 0.24, 1.1)
        return np.where(v < border, int(Material.HAIR), int(Material.NOTHING))

    return texture

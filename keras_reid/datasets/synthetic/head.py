"""The head with its hair and hats, as solids."""

from math import sin

import numpy as np
from numpy.typing import NDArray

from keras_reid.datasets.synthetic import dress
from keras_reid.datasets.synthetic.dress import Material
from keras_reid.datasets.synthetic.person import Person
from keras_reid.datasets.synthetic.raster import Capsule, Floats, Lathe
from keras_reid.datasets.synthetic.stage import Profile, Stage, lathe

__all__ = ["head_solids"]

_ROUND = ((0.0, 0.3), (0.06, 0.56), (0.18, 0.84), (0.38, 1.0), (0.6, 0.97), (0.8, 0.8), (0.93, 0.55), (1.0, 0.3))


def _ball(breadth: float, depth: float) -> Profile:
    return tuple((v, breadth * width, depth * width) for v, width in _ROUND)


def head_solids(person: Person, stage: Stage) -> list[Capsule | Lathe]:
    """Builds head, hair and hat.

    Args:
        person: Who.
        stage: The projection to the picture.

    Returns:
        Solids with their places in the painting order, unsorted.
    """
    size, scale = person.head, stage.pose.scale
    ahead = 0.4 * sin(person.stoop) + 0.012
    middle = 0.865 + 0.068 * size
    facing = stage.cos
    top, chin = (0.0, middle + 0.07 * size, ahead), (0.0, middle - 0.068 * size, ahead)
    solids: list[Capsule | Lathe] = [
        lathe(stage, top, chin, _ball(0.049 * size, 0.058 * size), dress.head(person), 0.5)
    ]
    style = person.hair_style
    full = {"bald": 0.0, "round": 1.35}.get(style, 1.1)
    if full:
        crown = (0.0, middle + (0.055 + 0.02 * full) * size, ahead - 0.006 * full)
        nape = (0.0, middle - 0.075 * size, ahead - 0.006 * full)
        shell = _ball(0.05 * size * full, 0.06 * size * full)
        solids.append(lathe(stage, crown, nape, shell, dress.hair_shell(person), 0.6))
    back = (0.0, middle, ahead - 0.055 * size)
    behind = 0.8 if facing < 0.35 else -0.3
    hair = int(Material.HAIR)
    if style == "long":
        fall = (0.0, 0.775, ahead - 0.065)
        mane = ((0.0, 0.03, 0.02), (0.2, 0.056 * size, 0.03), (0.8, 0.06, 0.03), (1.0, 0.045, 0.02))
        crown = (0.0, middle + 0.05, ahead - 0.03)
        solids.append(lathe(stage, crown, fall, mane, hair, behind))
    elif style == "bun":
        knot = stage.pixel((0.0, middle + 0.045, ahead - 0.06))
        solids.append(Capsule(knot, knot, 0.028 * scale, 0.028 * scale, hair, behind))
    elif style == "tail":
        ends = stage.pixel((0.0, back[1] + 0.02, back[2])), stage.pixel((0.0, 0.78, back[2] - 0.035))
        solids.append(Capsule(*ends, 0.02 * scale, 0.013 * scale, hair, behind))
    return solids + _hat_solids(person, stage, middle, ahead)


def _hat_solids(person: Person, stage: Stage, middle: float, ahead: float) -> list[Capsule | Lathe]:
    size, scale, hat = person.head, stage.pose.scale, int(Material.HAT)
    if person.hat == "none":
        return []
    if person.hat == "hood":
        return _hood(stage, middle, ahead, size)
    tall = {"cap": 0.076, "beanie": 0.09, "brim": 0.1}[person.hat] * size
    top, rim = (0.0, middle + tall, ahead - 0.004), (0.0, middle + 0.022 * size, ahead - 0.004)
    wide = {"cap": 1.0, "beanie": 1.06, "brim": 1.02}[person.hat] * 1.12 * size
    dome: Profile = (
        (0.0, 0.02, 0.022),
        (0.2, 0.037 * wide, 0.043 * wide),
        (0.55, 0.048 * wide, 0.057 * wide),
        (1.0, 0.05 * wide, 0.06 * wide),
    )
    solids: list[Capsule | Lathe] = [lathe(stage, top, rim, dome, hat, 0.9)]
    if person.hat == "cap":
        front = stage.pixel((0.0, middle + 0.028, ahead + 0.045))
        tip = stage.pixel((0.0, middle + 0.018, ahead + 0.1))
        order = 0.95 if stage.cos > -0.3 else 0.4
        solids.append(Capsule(front, tip, 0.024 * scale, 0.018 * scale, hat, order, 0.85))
    elif person.hat == "brim":
        x, y = stage.pixel(rim)
        reach = 0.085 * scale
        solids.append(Capsule((x - reach, y), (x + reach, y), 0.012 * scale, 0.012 * scale, hat, 0.95, 0.9))
    return solids


def _hood(stage: Stage, middle: float, ahead: float, size: float) -> list[Capsule | Lathe]:
    def texture(u: Floats, v: Floats) -> NDArray[np.intp]:
        face = (abs(u) < 0.85) & (v > 0.2)
        return np.where(face, int(Material.NOTHING), int(Material.UPPER))

    top, collar = (0.0, middle + 0.085 * size, ahead - 0.012), (0.0, middle - 0.09, ahead - 0.012)
    return [lathe(stage, top, collar, _ball(0.062 * size, 0.072 * size), texture, 0.9)]

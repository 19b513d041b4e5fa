"""The articulated figure: a person and a pose become solids, sorted from far to near."""

from math import cos, pi, sin

import numpy as np
from numpy.typing import NDArray

from keras_reid.datasets.synthetic import dress
from keras_reid.datasets.synthetic.dress import Material
from keras_reid.datasets.synthetic.head import head_solids
from keras_reid.datasets.synthetic.person import Person
from keras_reid.datasets.synthetic.raster import Capsule, Floats, Lathe
from keras_reid.datasets.synthetic.stage import Point, Pose, Stage, lathe

__all__ = ["body_solids"]

Solid = Capsule | Lathe


def _down(point: Point, angle: float, length: float, spread: float = 0.0) -> Point:
    """Goes ``length`` down from a point, swung ahead by ``angle`` and outwards by ``spread``."""
    return (
        point[0] + length * sin(spread),
        point[1] - length * cos(angle) * cos(spread),
        point[2] + length * sin(angle),
    )


def _leg_joints(person: Person, pose: Pose, side: int) -> tuple[Point, Point, Point, Point]:
    phase = pose.phase if side > 0 else pose.phase + pi
    stride = person.stride * (0.7 if person.skirt else 1.0)
    swing = stride * sin(phase)
    bend = 0.08 + 1.5 * stride * max(0.0, cos(phase)) ** 1.5
    hip = (side * person.hips * 0.58, person.legs, 0.0)
    knee = _down(hip, swing, person.legs * 0.5)
    shin = swing - bend
    ankle = _down(knee, shin, person.legs * 0.44)
    toe_lift = 0.5 * min(shin, 0.0) + 0.25 * max(shin, 0.0)
    toe = (ankle[0] + side * 0.012, ankle[1] - 0.02 + 0.085 * toe_lift, ankle[2] + 0.085)
    return hip, knee, ankle, toe


def body_solids(person: Person, pose: Pose) -> list[Solid]:
    """Builds the person's solids, in the order in which they are painted.

    Args:
        person: Who.
        pose: How and where.

    Returns:
        `Capsule` and `Lathe` objects, far ones first.
    """
    legs = {side: _leg_joints(person, pose, side) for side in (1, -1)}
    lift = 0.045 - min(ankle[1] for _, _, ankle, _ in legs.values())
    stage = Stage(pose, lift)
    solids = [*_leg_solids(person, stage, legs), *_trunk_solids(person, stage)]
    solids += _arm_solids(person, stage) + head_solids(person, stage) + _bag_solids(person, stage)
    return sorted(solids, key=lambda solid: solid.depth)


def _leg_solids(person: Person, stage: Stage, legs: dict[int, tuple[Point, Point, Point, Point]]) -> list[Solid]:
    scale, bulk = stage.pose.scale, person.bulk**0.7
    solids: list[Solid] = []
    for side, (hip, knee, ankle, toe) in legs.items():
        depth = stage.depth(knee)
        order = -4 + depth
        tone = 0.82 if depth < -0.02 else 1.0
        seam = side * stage.cos
        loose = 0.0 if person.skirt or person.leg_cover < 0.6 else 0.007
        for begin, end, first, second, r0, r1 in (
            (0.0, 0.53, hip, knee, 0.062 * bulk, 0.043 * bulk + loose),
            (0.53, 1.0, knee, ankle, 0.041 * bulk + loose, 0.027 * bulk + loose),
        ):
            texture = dress.leg(person, begin, end, seam)
            ends = stage.pixel(first), stage.pixel(second)
            order += 0.001
            solids.append(Capsule(*ends, r0 * scale, r1 * scale, texture, order, tone))
        heel = stage.pixel((ankle[0], ankle[1] - 0.022, ankle[2] - 0.012))
        tip = stage.pixel(toe)
        solids.append(Capsule(heel, tip, 0.025 * scale, 0.021 * scale, int(Material.SHOE), order - 0.003))
    return solids


def _trunk_solids(person: Person, stage: Stage) -> list[Solid]:
    bulk, broad, hips = person.bulk, person.shoulders, person.hips * person.bulk**0.6
    lean = sin(person.stoop)
    neck, pelvis = (0.0, 0.85, 0.3 * lean), (0.0, person.legs, 0.0)
    hem = (0.0, person.legs - 0.045 - person.hem, 0.0)
    solids: list[Solid] = []
    if person.skirt:
        flare = hips + 0.16 * person.skirt
        bottom = (0.0, person.legs + 0.03 - person.skirt, 0.0)
        skirt = ((0.0, hips * 0.92, hips * 0.75), (0.25, hips * 1.08, hips * 0.9), (1.0, flare, flare * 1.15))
        waist = (0.0, person.legs + 0.06, 0.0)
        solids.append(lathe(stage, waist, bottom, skirt, dress.wrap(person), -2.0))
    else:
        seat = ((0.0, hips * 0.95, hips * 0.8), (0.6, hips * 1.08, hips * 0.9), (1.0, hips * 0.85, hips * 0.7))
        below = (0.0, person.legs - 0.05, 0.0)
        waist = (0.0, person.legs + 0.05, 0.0)
        solids.append(lathe(stage, waist, below, seat, int(Material.LOWER), -2.0))
    loose = 0.006 if person.sleeves < 0.9 else 0.012
    length = neck[1] - hem[1]
    waist_v = (neck[1] - person.legs - 0.07) / length
    hip_v = min((neck[1] - pelvis[1]) / length, 0.97)
    chest, belly = 0.068 * bulk + loose, 0.058 * bulk**1.5 + loose
    profile = (
        (0.0, 0.035, 0.035),
        (0.05, broad * 0.72, 0.045 * bulk),
        (0.11, broad * 0.98, 0.057 * bulk),
        (0.34, broad * 0.9 * bulk**0.5 + loose, chest),
        (waist_v, hips * 0.93 + loose * 0.7, belly),
        (hip_v, hips * 1.06 + loose, hips * 0.82 + loose),
        (1.0, hips * 1.08 + loose + 0.12 * person.hem, hips * 0.85 + loose + 0.1 * person.hem),
    )
    solids.append(lathe(stage, neck, hem, profile, dress.trunk(person), 0.0))
    throat = stage.pixel((0.0, 0.835, 0.25 * lean)), stage.pixel((0.0, 0.885, 0.35 * lean + 0.008))
    radius = 0.03 * stage.pose.scale * bulk**0.5
    solids.append(Capsule(*throat, radius, radius * 0.92, int(Material.SKIN), -0.2, 0.88))
    return solids


def _arm_solids(person: Person, stage: Stage) -> list[Solid]:
    scale, bulk = stage.pose.scale, person.bulk**0.8
    loose = 0.008 if person.sleeves > 0.9 else 0.002
    solids: list[Solid] = []
    for side in (1, -1):
        phase = stage.pose.phase + (pi if side > 0 else 0.0)
        swing = person.arm_swing * sin(phase)
        bend = 0.18 + 0.5 * person.arm_swing * max(0.0, sin(phase))
        if person.bag == "hand" and side == person.bag_side:
            swing, bend = swing * 0.3, 0.05
        shoulder = (side * (person.shoulders - 0.02), 0.8, 0.3 * sin(person.stoop))
        elbow = _down(shoulder, swing, 0.165, side * 0.1 * bulk)
        wrist = _down(elbow, swing + bend, 0.145, side * 0.02)
        hand = _down(wrist, swing + bend, 0.035)
        depth = stage.depth(elbow)
        order = (2.0 if depth > -0.02 else -5.0) + depth
        tone = 0.84 if depth < -0.02 else 0.97
        radii = (0.031 * bulk + loose, 0.028 * bulk + loose, 0.021 * bulk + loose)
        upper = stage.pixel(shoulder), stage.pixel(elbow)
        lower = stage.pixel(elbow), stage.pixel(wrist)
        palm = stage.pixel(wrist), stage.pixel(hand)
        textures = dress.sleeve(person, 0.0, 0.53), dress.sleeve(person, 0.53, 1.0)
        solids += [
            Capsule(*palm, 0.021 * scale, 0.017 * scale, int(Material.SKIN), order, tone),
            Capsule(*lower, radii[1] * scale, radii[2] * scale, textures[1], order + 0.001, tone),
            Capsule(*upper, radii[0] * scale, radii[1] * scale, textures[0], order + 0.002, tone),
        ]
    return solids


def _bag_solids(person: Person, stage: Stage) -> list[Solid]:
    bag, trim, scale = int(Material.BAG), int(Material.BAG_TRIM), stage.pose.scale
    if person.bag == "backpack":
        order = 1.0 if stage.cos < 0.25 else -1.0
        deep = 0.085 * person.bulk + 0.035
        top, bottom = (0.0, 0.815, -deep), (0.0, 0.57, -deep)
        sack = ((0.0, 0.06, 0.025), (0.12, 0.088, 0.045), (0.75, 0.094, 0.055), (1.0, 0.085, 0.05))

        def texture(u: Floats, v: Floats) -> NDArray[np.intp]:
            pocket = (abs(u) > 2.35) & (v > 0.52) & (v < 0.9)
            return np.where(pocket, trim, bag)

        return [lathe(stage, top, bottom, sack, texture, order)]
    side = person.bag_side
    if person.bag == "shoulder":
        at = (side * (person.hips * person.bulk**0.6 + 0.03), person.legs + 0.015, 0.0)
        wide, tall = 0.028, 0.1
    elif person.bag == "hand":
        at = (side * (person.shoulders + 0.03), 0.44, 0.02)
        wide, tall = 0.02, 0.12
    else:
        return []
    order = 2.5 if stage.depth(at) > -0.02 else -4.5
    top, bottom = at, (at[0], at[1] - tall, at[2])
    pouch = ((0.0, wide * 0.9, 0.058), (0.15, wide, 0.066), (1.0, wide * 1.1, 0.068))
    solid = lathe(stage, top, bottom, pouch, bag, order)
    band = lathe(stage, (at[0], at[1] - 0.03, at[2]), (at[0], at[1] - 0.05, at[2]), pouch[1:], trim, order + 0.01)
    x, y = stage.pixel(at)
    grip = Capsule((x, y - 0.03 * scale), (x, y), 0.006 * scale, 0.006 * scale, bag, order)
    return [solid, band, grip]

"""Draws rounded solids into a picture: analytic edges, smooth shading, textures on the surface."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import atan2, ceil, cos, floor, hypot, sin

import numpy as np
from numpy.typing import NDArray

__all__ = ["Canvas", "Capsule", "Lathe", "Light", "Texture", "draw_solid", "fold_plate"]

Floats = NDArray[np.float32]
# A texture maps surface coordinates (u, v) to material numbers; 0 is see-through.
Texture = Callable[[Floats, Floats], NDArray[np.intp]]


@dataclass(frozen=True)
class Light:
    """A directed light and the ambient rest; ``x`` to the right, ``y`` down, ``z`` to the viewer."""

    x: float
    y: float
    z: float
    ambient: float


@dataclass(frozen=True)
class Capsule:
    """A limb: two circles in the picture and what lies between; ``u`` across in [-1, 1], ``v`` along."""

    start: tuple[float, float]
    end: tuple[float, float]
    start_radius: float
    end_radius: float
    texture: Texture | int
    depth: float = 0.0
    tone: float = 1.0


@dataclass(frozen=True)
class Lathe:
    """A trunk, head, skirt or bag: a stack of ellipses around an upright axis.

    ``u`` is the angle around it, 0 in front and positive to the person's left; ``v`` runs from
    top to bottom. ``profile`` holds rows ``(v, half breadth, half depth)``.
    """

    top: tuple[float, float]
    bottom: tuple[float, float]
    profile: tuple[tuple[float, float, float], ...]
    yaw: float
    texture: Texture | int
    depth: float = 0.0
    tone: float = 1.0


@dataclass(frozen=True)
class Canvas:
    """The picture being drawn, the colour of each material, and the light.

    Args:
        pixels: float32 [C, H, W], painted in place; planes are faster in numpy than pixels.
        palette: float32 [C, materials]; the channels are RGB, or one temperature.
        light: The light.
        fold_offset: Where in the plate of cloth folds this picture begins.
    """

    pixels: Floats
    palette: Floats
    light: Light
    fold_offset: int = 0


@lru_cache(maxsize=1)
def fold_plate() -> Floats:
    """Returns smooth noise [512, 512] around 1: folds of cloth, tilted like hanging cloth."""
    rng = np.random.default_rng(20)
    plate = np.zeros((512, 512), np.float32)
    for cell, strength in ((32, 0.05), (16, 0.05), (8, 0.03)):
        coarse = rng.standard_normal((512 // cell + 1, 1024 // cell + 1)).astype(np.float32)
        rows = np.arange(512, dtype=np.float32) / np.float32(cell)
        columns = np.arange(512, dtype=np.float32) / np.float32(cell / 2)  # folds are narrower than long
        plate += strength * _bilinear(coarse, rows, columns)
    return np.clip(1 + plate, 0.7, 1.3)


def _bilinear(values: Floats, rows: Floats, columns: Floats) -> Floats:
    top, left = rows.astype(np.intp), columns.astype(np.intp)
    down, right = (rows - top)[:, None], (columns - left)[None, :]
    upper = values[np.ix_(top, left)] * (1 - right) + values[np.ix_(top, left + 1)] * right
    lower = values[np.ix_(top + 1, left)] * (1 - right) + values[np.ix_(top + 1, left + 1)] * right
    return upper * (1 - down) + lower * down


def draw_solid(canvas: Canvas, solid: Capsule | Lathe) -> None:
    """Paints one solid over what is already there.

    Args:
        canvas: The picture; changed in place.
        solid: A `Capsule` or a `Lathe`.
    """
    if isinstance(solid, Capsule):
        _draw_capsule(canvas, solid)
    else:
        _draw_lathe(canvas, solid)


def _window(canvas: Canvas, x0: float, x1: float, y0: float, y1: float) -> tuple[int, ...] | None:
    height, width = canvas.pixels.shape[1:]
    left, right = max(floor(x0 - 1), 0), min(ceil(x1 + 1), width)
    top, bottom = max(floor(y0 - 1), 0), min(ceil(y1 + 1), height)
    return (left, right, top, bottom) if left < right and top < bottom else None


def _draw_capsule(canvas: Canvas, limb: Capsule) -> None:
    (ax, ay), (bx, by) = limb.start, limb.end
    ra, rb = limb.start_radius, limb.end_radius
    left, right = min(ax - ra, bx - rb), max(ax + ra, bx + rb)
    window = _window(canvas, left, right, min(ay - ra, by - rb), max(ay + ra, by + rb))
    if window is None:
        return
    x = np.arange(window[0], window[1], dtype=np.float32)[None, :] + np.float32(0.5 - ax)
    y = np.arange(window[2], window[3], dtype=np.float32)[:, None] + np.float32(0.5 - ay)
    dx, dy = bx - ax, by - ay
    length = max(hypot(dx, dy), 1e-3)
    ux, uy = (np.float32(dx / length), np.float32(dy / length)) if dx or dy else (1.0, 0.0)
    along = x * ux + y * uy  # pixels along the axis, and across it
    across = y * ux - x * uy
    inside = np.minimum(np.maximum(along, 0), np.float32(length))
    beyond = along - inside
    distance = np.sqrt(across * across + beyond * beyond)
    inside *= np.float32(1 / length)
    radius = inside * np.float32(rb - ra) + np.float32(ra)
    cover = np.minimum(np.maximum(radius - distance + np.float32(0.5), 0), 1)
    across /= radius
    # The shading of a limb varies across it only, so that joints do not look like beads.
    normal_z = np.sqrt(np.maximum(1 - across * across, 0))
    light = canvas.light
    lit = across * np.float32(uy * -light.x + ux * light.y) + normal_z * np.float32(light.z)
    material = limb.texture(across, inside) if callable(limb.texture) else limb.texture
    _blend(canvas, window, cover, lit, material, limb.tone)


def _draw_lathe(canvas: Canvas, body: Lathe) -> None:
    (top_x, top_y), (bottom_x, bottom_y) = body.top, body.bottom
    rows_v, breadth, depth = (list(column) for column in zip(*body.profile, strict=True))
    turn_cos, turn_sin = cos(body.yaw), sin(body.yaw)
    reach = max(hypot(a * turn_cos, b * turn_sin) for a, b in zip(breadth, depth, strict=True))
    window = _window(canvas, min(top_x, bottom_x) - reach, max(top_x, bottom_x) + reach, top_y, bottom_y)
    if window is None or bottom_y - top_y < 1e-3:
        return
    left, right, top, bottom = window
    row = np.arange(top, bottom, dtype=np.float32) + np.float32(0.5)
    v = np.minimum(np.maximum((row - np.float32(top_y)) / np.float32(bottom_y - top_y), 0), 1)
    half_breadth, half_depth = np.interp(v, rows_v, breadth), np.interp(v, rows_v, depth)
    half = np.sqrt((half_breadth * turn_cos) ** 2 + (half_depth * turn_sin) ** 2).astype(np.float32)
    half = half[:, None]
    centre = (np.float32(top_x) + v * np.float32(bottom_x - top_x))[:, None]
    offset = np.arange(left, right, dtype=np.float32)[None, :] + np.float32(0.5) - centre
    cover = np.minimum(np.maximum(half - np.abs(offset) + np.float32(0.5), 0), 1)
    inside = np.minimum(row - np.float32(top_y), np.float32(bottom_y) - row) + np.float32(0.5)
    cover *= np.minimum(np.maximum(inside, 0), 1)[:, None]
    normal_x = np.minimum(np.maximum(offset / np.maximum(half, np.float32(0.5)), -1), 1)
    normal_z = np.sqrt(1 - normal_x * normal_x)
    light = canvas.light
    lit = normal_x * np.float32(light.x) + normal_z * np.float32(light.z - 0.25 * light.y)
    if callable(body.texture):
        widest = max(range(len(rows_v)), key=lambda i: breadth[i])
        start = atan2(depth[widest] * turn_sin, breadth[widest] * turn_cos)
        angle = np.arcsin(normal_x) - np.float32(start)
        angle -= np.float32(2 * np.pi) * np.round(angle * np.float32(0.5 / np.pi))
        material: NDArray[np.intp] | int = body.texture(angle, np.broadcast_to(v[:, None], angle.shape))
    else:
        material = body.texture
    _blend(canvas, window, cover, lit, material, body.tone)


def _blend(
    canvas: Canvas,
    window: tuple[int, ...],
    cover: Floats,
    lit: Floats,
    material: NDArray[np.intp] | int,
    tone: float,
) -> None:
    left, right, top, bottom = window
    ambient = canvas.light.ambient
    shade = np.maximum(lit, 0)
    shade *= np.float32(1.25 * (1 - ambient) * tone)
    shade += np.float32(ambient * tone)
    at = (canvas.fold_offset + 37 * top) % 250
    shade *= fold_plate()[at : at + bottom - top, at : at + right - left]
    if isinstance(material, int):
        colour = canvas.palette[:, material, None, None]
    else:
        colour = np.take(canvas.palette, material, axis=1)
        cover = cover * (material != 0)
    region = canvas.pixels[:, top:bottom, left:right]
    region *= 1 - cover
    shade *= cover
    region += colour * shade

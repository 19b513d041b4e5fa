"""One picture: a person before a camera, with all that disturbs the view."""

from collections.abc import Callable
from dataclasses import dataclass
from math import pi

import numpy as np
from numpy.typing import NDArray

from keras_reid.datasets.synthetic.camera import Camera, develop
from keras_reid.datasets.synthetic.difficulty import V1
from keras_reid.datasets.synthetic.figure import body_solids
from keras_reid.datasets.synthetic.paint import visible_palette
from keras_reid.datasets.synthetic.person import Person
from keras_reid.datasets.synthetic.raster import Canvas, Capsule, Floats, Lathe, Light, draw_solid
from keras_reid.datasets.synthetic.scenery import GROUND, PLATE, plate, thing_colour
from keras_reid.datasets.synthetic.sites import find_site
from keras_reid.datasets.synthetic.stage import Pose

__all__ = ["CANVAS", "IMAGE_SIZE", "Shot", "arrange", "background", "draw", "noise_at", "paint_people", "sample_shot"]

IMAGE_SIZE = (128, 64)  # rows, columns
CANVAS = (192, 96)  # one and a half times as large: figures are drawn finer than they are seen
_STATURE = 0.86  # of the picture's rows, before jitter
_STREAM = 7005


@dataclass(frozen=True)
class Shot:
    """What differs between two pictures of one person under one camera.

    Args:
        yaw: Viewing direction, radians: 0 faces the camera.
        phase: Phase of the gait, radians.
        place: Where in the camera's view the person is, in [0, 1].
        zoom: Size of the person, relative to a well-fitting crop.
        shift_x: Misplacement of the crop to the right, of its width.
        shift_y: Misplacement of the crop downwards, of its height.
        horizon: Row of the ground line, added to the camera's, of the height.
        exposure: Factor on the camera's gain.
        seed: Noise and folds.
        obstacle: ``none``, ``post``, ``box`` or ``bush`` before the person.
        obstacle_x: Its position in [0, 1].
        obstacle_size: Its size in [0, 1].
        company_x: Where the other person stands, in crop widths from this one; 0 for nobody.
        company_before: Whether the other person is nearer to the camera.
        company_yaw: The other person's viewing direction.
    """

    yaw: float
    phase: float
    place: float = 0.5
    zoom: float = 1.0
    shift_x: float = 0.0
    shift_y: float = 0.0
    horizon: float = 0.0
    exposure: float = 1.0
    seed: int = 0
    obstacle: str = "none"
    obstacle_x: float = 0.5
    obstacle_size: float = 0.5
    company_x: float = 0.0
    company_before: bool = False
    company_yaw: float = 0.0


def sample_shot(
    camera: Camera, key: tuple[int, ...], *, away: bool = False, time_s: float = 0.0, place: float = 0.5
) -> Shot:
    """Draws one shot: a pure function of its arguments.

    Args:
        camera: The camera.
        key: Non-negative integers that name the picture, such as (seed, index).
        away: Whether the person walks against the camera's axis.
        time_s: Capture time; gives the phase of the gait.
        place: Where in the view the person is, in [0, 1].

    Returns:
        The shot.

    Example:
        >>> from keras_reid.datasets.synthetic import sample_cameras, sample_shot
        >>> camera = sample_cameras("A", 0)[0]
        >>> sample_shot(camera, (0, 7)) == sample_shot(camera, (0, 7))
        True
    """
    rng = np.random.default_rng((_STREAM, find_site(camera.site).number, *key))
    normal, uniform = rng.standard_normal(8).tolist(), rng.random(10).tolist()
    shift_y = V1.shift_jitter * normal[3]
    zoom = 1 + V1.scale_jitter * normal[1]
    if uniform[0] < V1.truncation:  # the detector missed the feet, or sometimes the head
        zoom, shift_y = zoom * 1.18, (0.14 if uniform[1] < 0.75 else -0.06)
    company_x = 0.0
    if uniform[2] < V1.company:
        company_x = (0.38 + 0.3 * uniform[3]) * (1 if uniform[4] < 0.5 else -1)
    obstacle = "none"
    if uniform[5] < V1.occlusion:
        obstacle = ("post", "box", "bush")[int(3 * uniform[6])]
    yaw = camera.axis + (pi if away else 0.0) + V1.view_jitter * normal[0]
    return Shot(
        yaw=yaw,
        phase=(1.9 * pi * time_s + 2 * pi * uniform[9]) % (2 * pi),
        place=min(max(place + 0.04 * normal[6], 0.0), 1.0),
        zoom=zoom,
        shift_x=V1.shift_jitter * 2 * normal[2],
        shift_y=shift_y,
        horizon=0.03 * normal[4],
        exposure=max(1 + V1.exposure_jitter * normal[5], 0.5),
        seed=int(rng.integers(2**31)),
        obstacle=obstacle,
        obstacle_x=uniform[7],
        obstacle_size=uniform[8],
        company_x=company_x,
        company_before=uniform[1] < 0.35,
        company_yaw=yaw + 0.4 * normal[7] + (pi if uniform[3] < 0.3 else 0.0),
    )


def draw(person: Person, camera: Camera, shot: Shot, company: Person | None = None) -> NDArray[np.uint8]:
    """Draws one picture, before JPEG; a pure function of its arguments.

    Args:
        person: Who.
        camera: Seen by which camera.
        shot: How.
        company: The other person, drawn if the shot has a place for one.

    Returns:
        uint8 [128, 64, 3] RGB.

    Example:
        >>> from keras_reid.datasets import synthetic
        >>> camera = synthetic.sample_cameras("A", 0)[2]
        >>> shot = synthetic.sample_shot(camera, (0, 0))
        >>> synthetic.draw(synthetic.sample_person("A", 0, 0), camera, shot).shape
        (128, 64, 3)
    """
    pixels = background(plate(camera), camera.horizon, shot)
    figures = arrange(person, company, shot, camera.pitch)
    for _, stance in figures:
        _cast_shadow(pixels, stance, camera)
    things = np.array([(0, 0, 0), thing_colour(camera), (0.2, 0.33, 0.16)], np.float32).T.copy()
    paint_people(pixels, figures, shot, visible_palette, things, camera.light)
    return develop(pixels, camera, IMAGE_SIZE, shot.exposure, noise_at(shot))


def background(view: NDArray[np.uint8], horizon: float, shot: Shot) -> Floats:
    """Returns what stands behind the people: the part of a camera's view in which the person is.

    Args:
        view: uint8 [C, rows, columns] of the size `PLATE`.
        horizon: Row of the ground line, of the picture's height from the top.
        shot: How.

    Returns:
        float32 [C, 192, 96] in [0, 1], to paint on.
    """
    rows, columns = CANVAS
    top = round(GROUND - (horizon + shot.horizon) * rows)
    top = min(max(top, 0), PLATE[0] - rows)
    left = round(shot.place * (PLATE[1] - columns))
    part = view[:, top : top + rows, left : left + columns]
    return part.astype(np.float32) * np.float32(1 / 255)


def arrange(person: Person, company: Person | None, shot: Shot, pitch: float) -> list[tuple[Person, Pose]]:
    """Says who stands where, far ones first.

    Args:
        person: Who.
        company: The other person, there if the shot has a place for one.
        shot: How.
        pitch: How far the camera looks down, radians.

    Returns:
        One or two people with their poses.
    """
    rows, columns = CANVAS
    scale = _STATURE * rows * shot.zoom
    ground = rows * (0.5 + 0.5 * _STATURE + 0.025 + shot.shift_y)
    pose = Pose(columns * (0.5 + shot.shift_x), ground, scale, shot.yaw, shot.phase, pitch)
    figures = [(person, pose)]
    if company is not None and shot.company_x:
        step = 0.03 * rows * (1 if shot.company_before else -1)
        beside = Pose(
            pose.x + shot.company_x * columns,
            ground + step,
            scale * (1.05 if shot.company_before else 0.95),
            shot.company_yaw,
            shot.phase + 1.3,
            pitch,
        )
        figures.insert(1 if shot.company_before else 0, (company, beside))
    return figures


def paint_people(
    pixels: Floats,
    figures: list[tuple[Person, Pose]],
    shot: Shot,
    palette: Callable[[Person], Floats],
    things: Floats,
    light: Light,
) -> None:
    """Paints the figures, and the obstacle before them, on a background.

    Args:
        pixels: float32 [C, rows, columns], changed in place.
        figures: People and poses, far ones first.
        shot: How.
        palette: A person's look to this kind of camera, float32 [C, materials].
        things: Look of obstacles, float32 [C, 3]: nothing, posts and boxes, bushes.
        light: The light.
    """
    for who, stance in figures:
        canvas = Canvas(pixels, palette(who), light, shot.seed % 250)
        for solid in body_solids(who, stance):
            draw_solid(canvas, solid)
    if shot.obstacle != "none":
        _draw_obstacle(Canvas(pixels, things, light, shot.seed % 250), shot)


def noise_at(shot: Shot) -> tuple[int, int]:
    """Returns where in a plate of noise a shot's noise begins, each below 128."""
    return shot.seed % 127, shot.seed // 127 % 127


def _cast_shadow(pixels: Floats, pose: Pose, camera: Camera) -> None:
    """Darkens the floor under the feet, away from the light."""
    rows, columns = pixels.shape[1:]
    top = max(int(pose.ground - 0.06 * pose.scale), 0)
    if top >= rows:
        return
    y = (np.arange(top, rows, dtype=np.float32)[:, None] - np.float32(pose.ground)) / np.float32(0.035 * pose.scale)
    light = camera.light
    middle = pose.x - 0.1 * light.x * pose.scale
    x = (np.arange(columns, dtype=np.float32)[None, :] - np.float32(middle)) / np.float32(0.17 * pose.scale)
    depth = np.float32(0.75 - 0.5 * camera.ambient)
    pixels[:, top:] *= 1 - depth * np.maximum(1 - x * x - y * y, 0)


def _draw_obstacle(canvas: Canvas, shot: Shot) -> None:
    rows, columns = canvas.pixels.shape[1:]
    x, size = shot.obstacle_x * columns, shot.obstacle_size
    if shot.obstacle == "post":
        half = (0.05 + 0.06 * size) * columns
        draw_solid(canvas, Lathe((x, -4), (x, rows + 4), ((0, half, half), (1, half, half)), 0.0, 1))
    elif shot.obstacle == "box":
        half, top = (0.35 + 0.4 * size) * columns, (0.82 - 0.24 * size) * rows
        lid = Lathe((x, top - 5), (x, top), ((0, half + 3, half), (1, half + 3, half)), 0.0, 1, tone=0.7)
        draw_solid(canvas, Lathe((x, top), (x, rows + 4), ((0, half, half), (1, half, half)), 0.0, 1))
        draw_solid(canvas, lid)
    else:
        rng = np.random.default_rng(shot.seed)
        height = (0.25 + 0.25 * size) * rows
        for dx, dy, tone in rng.standard_normal((9, 3)).tolist():
            at = x + 0.13 * columns * dx, rows - height * (0.5 + 0.3 * dy)
            tip = at[0] + 6 * dy, at[1] + 10
            draw_solid(canvas, Capsule(at, tip, 10.0, 8.0, 2, tone=1 + 0.12 * tone))

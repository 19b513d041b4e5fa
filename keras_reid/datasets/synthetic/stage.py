"""Where a person stands in the picture: poses, and the way from the body to the canvas."""

from dataclasses import dataclass
from math import cos, sin

from keras_reid.datasets.synthetic.raster import Lathe, Texture

__all__ = ["Point", "Pose", "Profile", "Stage", "lathe"]

Point = tuple[float, float, float]
Profile = tuple[tuple[float, float, float], ...]  # rows of (v, half breadth, half depth)


@dataclass(frozen=True)
class Pose:
    """How the person stands in the picture. Pixels are those of the supersampled canvas.

    Args:
        x: Column of the middle of the body.
        ground: Row of the ground under the feet.
        scale: Pixels per stature.
        yaw: Viewing direction: 0 faces the camera, pi/2 walks to the right, pi walks away.
        phase: Phase of the gait, radians; one step is pi.
        pitch: How far the camera looks down, radians.
    """

    x: float
    ground: float
    scale: float
    yaw: float
    phase: float
    pitch: float = 0.0


class Stage:
    """Projects body coordinates (x to the person's left, y up, z ahead) to the picture."""

    def __init__(self, pose: Pose, lift: float) -> None:
        self.pose, self.lift = pose, lift
        self.cos, self.sin = cos(pose.yaw), sin(pose.yaw)
        self.up, self.down = cos(pose.pitch), sin(pose.pitch)

    def depth(self, point: Point) -> float:
        """Returns how near a point is to the camera, in statures."""
        return -point[0] * self.sin + point[2] * self.cos

    def pixel(self, point: Point) -> tuple[float, float]:
        """Returns the column and row of a point of the body."""
        right = point[0] * self.cos + point[2] * self.sin
        height = (point[1] + self.lift) * self.up - self.depth(point) * self.down
        return self.pose.x + self.pose.scale * right, self.pose.ground - self.pose.scale * height


def lathe(
    stage: Stage,
    top: Point,
    bottom: Point,
    profile: Profile,
    texture: Texture | int,
    depth: float,
) -> Lathe:
    """Returns a `Lathe` between two points of the body.

    Args:
        stage: The projection.
        top: Upper end of the axis.
        bottom: Lower end of the axis.
        profile: Rows ``(v, half breadth, half depth)`` in statures.
        texture: Texture or material.
        depth: Place in the painting order.

    Returns:
        The solid, in pixels.
    """
    scale = stage.pose.scale
    scaled = tuple((v, breadth * scale, deep * scale) for v, breadth, deep in profile)
    return Lathe(stage.pixel(top), stage.pixel(bottom), scaled, stage.pose.yaw, texture, depth)

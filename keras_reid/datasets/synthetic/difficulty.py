"""The knobs of difficulty, all in one place; frozen as version ``v1``."""

from dataclasses import dataclass

__all__ = ["V1", "VERSION", "Difficulty"]

VERSION = "v1"


@dataclass(frozen=True)
class Difficulty:
    """How hard the people are to tell apart, in numbers that were calibrated once and then frozen.

    The values are our choice. They were calibrated on a colour histogram and on the tiny baseline
    alone, never on one of the published methods; `docs/datasets/synthetic.md` has the measurements.

    Args:
        lookalikes: People who share one outfit and differ in fine cues only.
        camera_colour: Spread of gain, cast, saturation, tone and hue between the cameras of one site, of the
            ranges in `SITES`; at 0 the cameras of a site agree (those of two sites still differ).
        exposure_jitter: Standard deviation of the exposure between two pictures of one camera.
        clutter: Contrast of the things in the background; 0 leaves bare walls and floors.
        view_jitter: Standard deviation of the viewing direction in a passage, radians.
        scale_jitter: Standard deviation of the person's size in the crop, as a fraction.
        shift_jitter: Standard deviation of the person's position in the crop, as a fraction.
        truncation: Probability that the crop cuts off the feet or the head.
        occlusion: Probability that an object stands before the person.
        company: Probability that another person is in the picture.

    Example:
        >>> from keras_reid.datasets.synthetic import V1
        >>> V1.lookalikes
        3
    """

    lookalikes: int = 3
    camera_colour: float = 0.45
    exposure_jitter: float = 0.08
    clutter: float = 1.0
    view_jitter: float = 0.25
    scale_jitter: float = 0.05
    shift_jitter: float = 0.025
    truncation: float = 0.1
    occlusion: float = 0.12
    company: float = 0.18


V1 = Difficulty()

"""Who passes which camera when: groups of people walk through the network of cameras."""

from dataclasses import dataclass

import numpy as np

from keras_reid.datasets.synthetic.camera import CAMERAS
from keras_reid.datasets.synthetic.sites import find_site

__all__ = ["FRAMES_PER_SECOND", "Passage", "sample_passages"]

FRAMES_PER_SECOND = 25
_STREAM = 7006
_GAP_S = 16.0  # mean time from one person's arrival to the next
_LONGEST_S = 30_000.0  # keeps frame numbers within six digits
_LEG_S = (30.0, 90.0)  # walking time between neighbouring cameras


@dataclass(frozen=True)
class Passage:
    """One person passing one camera.

    Args:
        person: Number of the person, from 0.
        camera: Number of the camera, from 0.
        time_s: When the person comes into view, seconds from the start of the recording.
        away: Whether the person walks against the camera's axis.
    """

    person: int
    camera: int
    time_s: float
    away: bool


def sample_passages(site: str, seed: int, people: int, *, part: int = 0, groups: bool = True) -> list[Passage]:
    """Sends people through the site's cameras, which stand in a ring: a pure function.

    A party (two to five people in a group, or one who walks alone) enters somewhere, walks clockwise
    or back past three to six cameras, and leaves. Its members pass a camera within seconds of one
    another. Who walks alone also pauses on the way, for two minutes on average at each leg, so that
    nobody has companions and the time between two cameras says little.

    Args:
        site: ``A`` to ``D``.
        seed: The people's seed.
        people: How many.
        part: Number of the split, so that two splits of a seed differ.
        groups: Whether people walk in groups; if not, each walks alone at times of their own.

    Returns:
        The passages of person 0, then of person 1, ...; at least two cameras for each.

    Example:
        >>> from keras_reid.datasets.synthetic.walk import sample_passages
        >>> passages = sample_passages("A", 0, people=5)
        >>> {passage.person for passage in passages} == {0, 1, 2, 3, 4}
        True
    """
    place = find_site(site)
    legs = np.random.default_rng((_STREAM, place.number)).uniform(*_LEG_S, CAMERAS).tolist()
    rng = np.random.default_rng((_STREAM, place.number, seed, part, int(groups)))
    span = min(_GAP_S * people, _LONGEST_S)
    order = rng.permutation(people).tolist()
    passages: list[Passage] = []
    while order:
        size = int(rng.integers(2, 6)) if groups else 1
        party, order = order[:size], order[size:]
        passages += _walk(rng, party, legs, float(rng.uniform(0, span)), pausing=not groups)
    return sorted(passages, key=lambda passage: (passage.person, passage.camera))


def _walk(
    rng: np.random.Generator, party: list[int], legs: list[float], start_s: float, pausing: bool
) -> list[Passage]:
    direction = 1 if rng.random() < 0.5 else -1
    camera, pace, now = int(rng.integers(CAMERAS)), float(rng.uniform(0.8, 1.25)), start_s
    passages: list[Passage] = []
    for stop in range(int(rng.integers(3, CAMERAS + 1))):
        missed = stop > 1 and rng.random() < 0.1  # the detector saw nobody
        for person in party:
            delay = float(rng.exponential(2.0))
            if not missed:
                away = (direction > 0) == (camera % 2 == 0)
                passages.append(Passage(person, camera, now + delay, away))
        now += legs[camera if direction > 0 else camera - 1] * pace
        now += float(rng.exponential(120.0)) if pausing else 0.0
        camera = (camera + direction) % CAMERAS
    return passages

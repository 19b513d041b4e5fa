"""Which thermal camera and which ordinary one pictures whom, how: the plans of the two layouts."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import pi

import numpy as np

from keras_reid.datasets.synthetic.camera import Camera, sample_cameras
from keras_reid.datasets.synthetic.difficulty import V1
from keras_reid.datasets.synthetic.layouts import regdb, sysu_mm01
from keras_reid.datasets.synthetic.scene import Shot, sample_shot
from keras_reid.datasets.synthetic.sites import find_site
from keras_reid.datasets.synthetic.thermal_camera import ThermalCamera, sample_thermal_camera

__all__ = ["Picture", "regdb_pictures", "sysu_mm01_pictures"]

_FIRST_TEST_PERSON = 30_000  # as in `tree`: the test people stay the same when more or fewer are trained on
_OUTFIT = V1.lookalikes  # one person of each outfit: without colours look-alikes would hardly differ at all
_STREAM = 7009
_BETWEEN_SHOTS_S = 0.72


@dataclass(frozen=True)
class Picture:
    """One picture to draw.

    Args:
        name: Its file below the tree's root.
        label: Identity on disk, from 1.
        place: 0-based camera of SYSU-MM01's layout, or modality in RegDB's.
        person: Number of the person in the stream of people.
        camera: Seen by which camera.
        shot: How.
    """

    name: str
    label: int
    place: int
    person: int
    camera: Camera | ThermalCamera
    shot: Shot


def sysu_mm01_pictures(site: str, seed: int, camera_seed: int, train: int, test: int, images: int) -> Iterator[Picture]:
    """Plans SYSU-MM01's layout: every passage before a camera has its own time and direction.

    Args:
        site: ``A`` to ``D``.
        seed: Seed of the people.
        camera_seed: Seed of the cameras.
        train: People to train on.
        test: People to test on.
        images: Pictures of a person before a camera.

    Yields:
        The pictures, person by person.
    """
    views = list(sample_cameras(site, camera_seed))
    views[2] = replace(views[2], scenery_seed=views[1].scenery_seed)  # cameras 2 and 3 share a place
    infrared = sysu_mm01.CAMERAS[1]
    cameras = [sample_thermal_camera(view) if view.number in infrared else view for view in views]
    number = find_site(site).number
    for people, label, first in ((train, 1, 0), (test, train + 1, _FIRST_TEST_PERSON)):
        for person in range(people):
            rng = np.random.default_rng((_STREAM, number, seed, first + person))
            visible = rng.permutation(sysu_mm01.CAMERAS[0])[: rng.integers(2, 5)].tolist()
            thermal = rng.permutation(infrared)[: 1 + (rng.random() < 0.5)].tolist()
            for camera in sorted(visible + thermal):
                away, start, time_s = rng.random() < 0.5, rng.random(), 3600 * rng.random()
                for image in range(images):
                    across = min(0.12 * image, 1.0)
                    shot = sample_shot(
                        views[camera],
                        (seed, first + person, camera, image),
                        away=away,
                        time_s=time_s + _BETWEEN_SHOTS_S * image,
                        place=0.25 * start + 0.55 * (across if away else 1 - across) + 0.1,
                    )
                    name = sysu_mm01.image_name(camera, label + person, image + 1)
                    yield Picture(
                        name, label + person, camera, _OUTFIT * (first + person), cameras[camera], _alone(shot)
                    )


def regdb_pictures(site: str, seed: int, camera_seed: int, train: int, test: int, images: int) -> Iterator[Picture]:
    """Plans RegDB's layout: a person is seen from the front or from the back, by two cameras at once.

    Args:
        site: ``A`` to ``D``.
        seed: Seed of the people.
        camera_seed: Seed of the cameras.
        train: People to train on in the first split.
        test: People to test on in it.
        images: Pictures of a person in each modality.

    Yields:
        The pictures, person by person.
    """
    view = replace(sample_cameras(site, camera_seed)[0], axis=0.0)
    thermal = sample_thermal_camera(view)
    number = find_site(site).number
    for person in range(train + test):
        rng = np.random.default_rng((_STREAM, number, seed, person, 1))
        back, start = rng.random() < 0.6, rng.random()
        for image in range(images):
            shots = [
                sample_shot(
                    view, (seed, person, modality, image), away=back, time_s=_BETWEEN_SHOTS_S * image, place=start
                )
                for modality in (0, 1)
            ]
            # The twin is taken an instant later.
            twin = replace(
                shots[1], yaw=shots[0].yaw + 0.1 * float(rng.normal()), phase=(shots[0].phase + 0.4) % (2 * pi)
            )
            for modality, camera, shot in ((0, view, shots[0]), (1, thermal, twin)):
                name = regdb.image_name(modality, person + 1, image + 1, ".jpg")
                yield Picture(name, person + 1, modality, _OUTFIT * person, camera, _alone(shot))


def _alone(shot: Shot) -> Shot:
    """Nothing and nobody else in the picture: that the modalities differ is hard enough."""
    return replace(shot, obstacle="none", company_x=0.0)

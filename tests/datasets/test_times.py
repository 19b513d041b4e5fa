"""Frame times against what the published loaders returned for made-up file names."""

import re
from pathlib import Path

import numpy as np
import pytest

from keras_reid.datasets.times import dukemtmc_times, market1501_times

with np.load(Path(__file__).parents[1] / "parity" / "times.npz") as archive:
    PARITY = dict(archive)
SPLITS = ("train", "query", "gallery")


def fixture(benchmark: str, name: str) -> np.ndarray:
    return np.concatenate([PARITY[f"{benchmark}/{split}_{name}"] for split in SPLITS])


def parsed(benchmark: str, pattern: str) -> list[np.ndarray]:
    found = [re.match(pattern, name) for name in fixture(benchmark, "names").tolist()]
    return list(np.array([match.groups() for match in found if match], dtype=np.int64).T)


def test_market1501_equals_the_published_loader_exactly():
    _, camera, session, frame = parsed("market1501", r"(\d+)_c(\d)s(\d)_(\d+)")
    assert (camera - 1).tolist() == fixture("market1501", "camera").tolist()
    times = market1501_times(camera, session, frame)
    np.testing.assert_array_equal(times, fixture("market1501", "time"))


def test_dukemtmc_equals_the_published_loader_exactly():
    _, camera, frame = parsed("dukemtmc", r"(\d+)_c(\d)_f(\d+)")
    times = dukemtmc_times(camera - 1, frame)
    np.testing.assert_array_equal(times, fixture("dukemtmc", "time"))


def test_corrected_times_lay_the_sessions_end_to_end():
    # Camera 3 has no image in session 2; camera 5 starts in session 3.
    camera = np.array([3, 3, 3, 5, 5, 3])
    session = np.array([1, 1, 3, 3, 4, 4])
    frame = np.array([25, 100, 50, 75, 0, 0])
    plain = market1501_times(camera, session, frame, corrected=True)
    assert (25 * plain).tolist() == [25, 100, 150, 75, 75, 150]
    published = market1501_times(camera, session, frame)
    assert (25 * published).tolist() == [25, 100, 150, 75, 75, 250]


def test_the_double_count_only_widens_gaps_between_sessions():
    _, camera, session, frame = parsed("market1501", r"(\d+)_c(\d)s(\d)_(\d+)")
    plain = market1501_times(camera, session, frame, corrected=True)
    published = market1501_times(camera, session, frame)
    shift = published - plain
    assert (shift >= 0).all() and (shift[session <= 2] == 0).all() and shift.max() > 0
    for key in {*zip(camera.tolist(), session.tolist(), strict=True)}:
        rows = (camera == key[0]) & (session == key[1])
        np.testing.assert_allclose(shift[rows], shift[rows][0], atol=1e-9)


def test_no_images_have_no_times():
    nothing = np.array([], dtype=np.int64)
    assert market1501_times(nothing, nothing, nothing).shape == (0,)
    assert dukemtmc_times(nothing, nothing).shape == (0,)


@pytest.mark.parametrize("camera", [-1, 8])
def test_dukemtmc_has_eight_cameras(camera):
    with pytest.raises(ValueError, match=rf"must lie in 0\.\.7 for DukeMTMC\. Received: {camera}"):
        dukemtmc_times(np.array([0, camera]), np.array([1, 1]))

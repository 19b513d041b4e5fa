import numpy as np
import pytest

from keras_reid.datasets import ReIDTable
from keras_reid.datasets.dataset import has_match
from keras_reid.datasets.split import split_by_identity


def random_table(seed: int, cameras: int) -> ReIDTable:
    random = np.random.default_rng(seed)
    count = 80
    camera_id = random.integers(0, cameras, count) if cameras else None
    paths = [f"/{row}.jpg" for row in range(count)]
    return ReIDTable.from_columns(paths, random.integers(0, 25, count), camera_id)


@pytest.mark.parametrize("cameras", [0, 2, 5])
@pytest.mark.parametrize("seed", range(10))
def test_every_query_has_a_match_and_nothing_is_lost_or_shared(cameras, seed):
    table = random_table(seed, cameras)
    parts = split_by_identity(table, 0.4, seed)
    train, query, gallery = parts["train"], parts["query"], parts["gallery"]
    everything = np.concatenate([train.path, query.path, gallery.path])
    assert sorted(everything) == sorted(table.path)
    assert not np.isin(train.person_id, np.append(query.person_id, gallery.person_id)).any()
    assert set(query.person_ids) == set(gallery.person_ids)
    assert len(query) and has_match(query, gallery, cross_camera=cameras > 0).all()
    # At most one query per identity and camera.
    pairs = list(zip(query.person_id.tolist(), query.camera_id.tolist(), strict=True))
    assert len(pairs) == len(set(pairs))


def test_cameras_with_two_images_give_a_query_and_lone_images_stay_in_the_gallery():
    persons = [1] * 5 + [2] * 5
    table = ReIDTable.from_columns([f"/{r}" for r in range(10)], persons, [0, 0, 0, 1, 2] * 2)
    parts = split_by_identity(table)
    assert parts["query"].camera_id.tolist() == [0]
    assert sorted(parts["gallery"].camera_id.tolist()) == [0, 0, 1, 2]


def test_persons_that_cannot_be_tested_are_for_training():
    table = ReIDTable.from_columns([f"/{r}" for r in range(7)], [1, 1, 2, 2, 3, 3, 4], [0, 1, 0, 1, 0, 0, 0])
    for seed in range(5):
        parts = split_by_identity(table, 0.01, seed)
        assert {3, 4} <= set(parts["train"].person_id.tolist())
        assert parts["query"].num_persons == 2


def test_the_seed_decides():
    table = random_table(0, 3)
    first, again = (split_by_identity(table, seed=3) for _ in range(2))
    assert all(first[s].path.tolist() == again[s].path.tolist() for s in first)
    other = split_by_identity(table, seed=4)
    assert other["train"].path.tolist() != first["train"].path.tolist()


@pytest.mark.parametrize(("fraction", "trained"), [(0.01, 1), (0.25, 5), (0.5, 10), (0.99, 19)])
def test_train_fraction(fraction, trained):
    table = ReIDTable.from_columns([f"/{r}" for r in range(40)], np.arange(40) // 2)
    parts = split_by_identity(table, fraction)
    assert parts["train"].num_persons == trained
    assert parts["query"].num_persons == 20 - trained


def test_bad_input():
    two = ReIDTable.from_columns(["/a", "/b"], [1, 2], [0, 0])
    for fraction in (0.0, 1.0, 2):
        with pytest.raises(ValueError, match=rf"between 0 and 1\. Received: {fraction}"):
            split_by_identity(two, fraction)
    with pytest.raises(ValueError, match=r"needs two persons at least.*1 image, 1 person"):
        split_by_identity(two.take([0]))
    with pytest.raises(ValueError, match=r"No person is seen by two cameras .*'camera_id': None"):
        split_by_identity(two)
    without = ReIDTable.from_columns(["/a", "/b"], [1, 2])
    with pytest.raises(ValueError, match=r"No person has two images .* none can be found"):
        split_by_identity(without)

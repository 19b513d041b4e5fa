from pathlib import Path

import numpy as np
import pytest

from keras_reid import pipeline
from keras_reid.datasets import ReIDTable
from keras_reid.pipeline import DiskCache, MemoryCache, PKSampler, UniformSampler
from keras_reid.pipeline.decode import decode
from tests.pipeline.images import assert_same, batches, write_table

SIZE = (48, 24)
ALL = tuple(make() for make in pipeline.TRANSFORMS.values())


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return write_table(tmp_path_factory.mktemp("data"), sizes=((64, 32), (40, 20)))


def make(table, **options):
    return pipeline.training(table, SIZE, **{"sampler": PKSampler(2, 2), **options})


def test_training_keeps_the_contract(table):
    import tensorflow as tf

    dataset = make(table, partner=True)
    assert isinstance(dataset, tf.data.Dataset)
    assert dataset.num_identities == 4
    assert dataset.steps_per_epoch == 2
    assert int(dataset.cardinality()) == len(dataset) == 2
    assert dataset.skipped == ()
    for key, spec in dataset.element_spec.items():
        assert spec.shape.as_list() == ([4, *SIZE, 3] if "image" in key else [4])
    for batch in batches(dataset):
        pipeline.check_batch(batch)
        rows = batch["index"]
        np.testing.assert_array_equal(batch["person_id"] * 10, table.person_id[rows])
        np.testing.assert_array_equal(batch["camera_id"], table.camera_id[rows])
        assert batch["image"].std() > 0.1


def test_without_transforms_an_image_is_the_decoded_file(table):
    for interpolation in ("bilinear", "bicubic"):
        dataset = make(table, transforms=(), interpolation=interpolation)
        for batch in batches(dataset):
            for image, row in zip(batch["image"], batch["index"], strict=True):
                expected = decode(table.path[row], SIZE, interpolation)
                np.testing.assert_array_equal(image, expected * np.float32(1 / 255))


def test_the_other_columns_come_through(table):
    columns = {"modality": np.arange(12) % 2, "domain": np.arange(12) // 4}
    marked = ReIDTable.from_columns(table.path, table.person_id, table.camera_id, **columns)
    for batch in batches(make(marked)):
        for name, column in columns.items():
            np.testing.assert_array_equal(batch[name], column[batch["index"]])


def test_same_seed_same_bytes_other_seed_or_epoch_other_bytes(table):
    dataset, twin = (make(table, transforms=ALL, seed=3, partner=True) for _ in range(2))
    first = batches(dataset)
    assert_same(first, batches(dataset))
    assert_same(first, batches(twin))
    other = make(table, transforms=ALL, seed=4, partner=True)
    assert not np.array_equal(first[0]["image"], batches(other)[0]["image"])
    dataset.position.epoch = 1
    second = batches(dataset)
    assert not np.array_equal(first[0]["image"], second[0]["image"])
    dataset.position.epoch = 0
    assert_same(first, batches(dataset))


def test_the_images_seed_depends_on_its_place_alone(table):
    """Image by image as in the batch: a row drawn twice looks different each time."""
    one = ReIDTable.from_columns(table.path[:1], [0])

    class Repeat:
        def batches(self, table, seed, epoch):
            return np.zeros((3, 4), np.int64)

    images = np.concatenate([batch["image"] for batch in batches(make(one, sampler=Repeat()))])
    assert len({image.tobytes() for image in images}) > 8


def test_the_remainder_of_an_epoch_has_the_epochs_bytes(table):
    dataset = make(table, sampler=UniformSampler(2), transforms=ALL, seed=1)
    dataset.position.epoch = 5
    whole = batches(dataset)
    assert len(whole) == 6
    for step in (0, 4, 6):
        rest = dataset.remainder(step)
        assert int(rest.cardinality()) == 6 - step
        assert_same(whole[step:], batches(rest))
    # The position is shared: the next epoch of the remainder is that of the data set.
    rest = dataset.remainder(2)
    dataset.position.epoch = 6
    assert_same(batches(dataset)[2:], batches(rest))
    for step in (-1, 7):
        with pytest.raises(ValueError, match=rf"`step` must lie in 0..6.*Received: {step}"):
            dataset.remainder(step)


def test_an_iteration_that_has_begun_keeps_its_epoch(table):
    dataset = make(table, sampler=UniformSampler(2), seed=1)
    expected = batches(dataset)
    iterator = iter(dataset)
    received = [next(iterator)]
    dataset.position.epoch = 9
    received += list(iterator)
    assert_same(expected, [{key: value.numpy() for key, value in b.items()} for b in received])


@pytest.mark.parametrize("content", ["resized", "native"])
def test_caches_do_not_change_a_byte(table, tmp_path, content):
    expected = batches(make(table, transforms=ALL, seed=2))
    for cache in (MemoryCache(content), DiskCache(tmp_path, content), DiskCache(tmp_path, content)):
        assert_same(expected, batches(make(table, transforms=ALL, seed=2, cache=cache)))


def test_caches_by_name(table, tmp_path):
    expected = batches(make(table))
    assert_same(expected, batches(make(table, cache="memory")))
    assert_same(expected, batches(make(table, cache=tmp_path / "folder")))
    assert len(list((tmp_path / "folder").iterdir())) == 2


def test_partners_are_other_images_of_the_same_identity(tmp_path):
    table = write_table(tmp_path, persons=[0, 0, 0, 1, 1, 2])
    pictures = [decode(path, SIZE) * np.float32(1 / 255) for path in table.path]
    dataset = make(table, sampler=UniformSampler(6), transforms=(), partner=True)
    seen = set()
    for epoch in range(12):
        dataset.position.epoch = epoch
        [batch] = batches(dataset)
        for partner, row in zip(batch["partner_image"], batch["index"], strict=True):
            [other] = [n for n, image in enumerate(pictures) if np.array_equal(image, partner)]
            seen.add((int(row), other))
    assert seen == {(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1), (3, 4), (4, 3), (5, 5)}


def test_a_partner_has_a_seed_of_its_own(tmp_path):
    table = write_table(tmp_path, persons=[0])
    dataset = make(table, sampler=UniformSampler(1), transforms=ALL, partner=True)
    [batch] = batches(dataset)
    assert not np.array_equal(batch["image"], batch["partner_image"])
    alone = make(table, sampler=UniformSampler(1), transforms=ALL)
    np.testing.assert_array_equal(batches(alone)[0]["image"], batch["image"])


def spoil(table):
    for row, content in ((1, b"no image"), (7, b"")):
        Path(table.path[row]).write_bytes(content)


@pytest.mark.parametrize("cache", [None, "memory"])
def test_skipped_images_are_counted_and_listed(tmp_path, cache):
    table = write_table(tmp_path)
    spoil(table)
    with pytest.warns(UserWarning, match=r"2 of 12 images cannot be read, the first is '.*001.png'"):
        dataset = make(table, sampler=UniformSampler(5), on_bad_image="skip", cache=cache)
    assert dataset.skipped == (table.path[1], table.path[7])
    rows = np.concatenate([batch["index"] for batch in batches(dataset)])
    assert sorted(rows) == [0, 2, 3, 4, 5, 6, 8, 9, 10, 11]
    with pytest.warns(UserWarning, match="2 of 12"):
        ordered = pipeline.inference(table, SIZE, 4, on_bad_image="skip")
    assert ordered.skipped == dataset.skipped
    rows = np.concatenate([batch["index"] for batch in batches(ordered)])
    assert rows.tolist() == [0, 2, 3, 4, 5, 6, 8, 9, 10, 11]


def test_an_identity_of_which_nothing_is_readable_gets_no_label(tmp_path):
    table = write_table(tmp_path, persons=[0, 1, 2])
    Path(table.path[1]).write_bytes(b"")
    with pytest.warns(UserWarning, match="1 of 3"):
        dataset = make(table, sampler=UniformSampler(2), on_bad_image="skip")
    assert dataset.num_identities == 2
    [batch] = batches(dataset)
    assert sorted(zip(batch["index"], batch["person_id"], strict=True)) == [(0, 0), (2, 1)]


def test_bad_images_raise_by_name(tmp_path):
    import tensorflow as tf

    table = write_table(tmp_path)
    spoil(table)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"ValueError: Cannot read image '.*01.png'"):
        batches(pipeline.inference(table, SIZE))
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"Cannot read image '.*.png'"):
        batches(make(table, sampler=UniformSampler(12)))
    with pytest.raises(ValueError, match=r"Cannot read image '.*001.png'"):
        make(table, cache="memory")


def test_a_wrong_root_folder_is_no_skipping():
    table = ReIDTable.from_columns(["/no/1.jpg", "/no/2.jpg"], [0, 1])
    with pytest.raises(ValueError, match=r"2 of 2 images cannot be read.*check the data set's root"):
        make(table, on_bad_image="skip")


def test_inference_is_the_table_in_order(table):
    dataset = pipeline.inference(table, SIZE, batch_size=5, interpolation="bicubic")
    assert int(dataset.cardinality()) == 3
    assert dataset.skipped == ()
    received = batches(dataset)
    assert [len(batch["index"]) for batch in received] == [5, 5, 2]
    for batch in received:
        pipeline.check_batch(batch)
    joined = {key: np.concatenate([b[key] for b in received]) for key in received[0]}
    assert joined["index"].tolist() == list(range(12))
    np.testing.assert_array_equal(joined["person_id"], table.person_id)
    expected = np.stack([decode(path, SIZE, "bicubic") for path in table.path])
    np.testing.assert_array_equal(joined["image"], expected * np.float32(1 / 255))
    assert dataset.element_spec["image"].shape.as_list() == [None, *SIZE, 3]
    whole = pipeline.inference(table, SIZE, batch_size=4)
    assert whole.element_spec["image"].shape.as_list() == [4, *SIZE, 3]


def test_a_sampler_that_changes_its_steps_is_named(table):
    import tensorflow as tf

    class Shrinking:
        def batches(self, table, seed, epoch):
            return np.zeros((3 - epoch, 2), np.int64)

    dataset = make(table, sampler=Shrinking())
    dataset.position.epoch = 1
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"\(3, 2\) in epoch 0. Received \(2, 2\)"):
        batches(dataset)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"sampler": PKSampler(16, 4)}, "needs 16 identities. Received a table of 4"),
        ({"interpolation": "nearest"}, "Unknown interpolation 'nearest'"),
        ({"on_bad_image": "ignore"}, "Unknown value of `on_bad_image` 'ignore'"),
        ({"seed": -1}, "`seed` must be an integer of at least 0. Received: -1"),
        ({"seed": 0.5}, "`seed` must be an integer of at least 0. Received: 0.5"),
    ],
)
def test_impossible_arguments_are_named(table, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        make(table, **options)


@pytest.mark.parametrize("build", [pipeline.training, pipeline.inference])
def test_sizes_and_empty_tables_are_named(table, build):
    with pytest.raises(ValueError, match=r"`image_size` must be \(height, width\)"):
        build(table, (48, 24, 3))
    with pytest.raises(ValueError, match="`image_size` must be an integer of at least 1"):
        build(table, (48, 0))
    with pytest.raises(ValueError, match="The table has no rows"):
        build(ReIDTable.from_columns([], []))

"""A batch divided among devices is the batch: no image is lost, repeated or changed."""

import numpy as np
import pytest

from keras_reid import pipeline
from keras_reid.pipeline import PKSampler, UniformSampler
from keras_reid.pipeline.parts import part_places
from tests.pipeline.images import batches, write_table

SIZE = (48, 24)


@pytest.mark.parametrize(("blocks", "parts"), [(1, 1), (1, 4), (2, 3), (4, 2)])
def test_every_place_is_one_device_s(blocks, parts):
    places = part_places(24, parts, blocks)
    assert places.shape == (parts, 24 // parts) and places.dtype == np.int64
    assert sorted(places.ravel()) == list(range(24))
    for part in places:  # as many of every block, in their order
        np.testing.assert_array_equal(part // (24 // blocks), np.repeat(np.arange(blocks), 24 // parts // blocks))
        assert (np.diff(part) > 0).all()


def test_a_batch_that_cannot_be_divided():
    with pytest.raises(ValueError, match="A batch of 10 images cannot be divided among 4 devices. Use a batch size"):
        part_places(10, 4)
    with pytest.raises(ValueError, match="each getting its part of all 2 blocks.*a multiple of 8"):
        part_places(12, 4, 2)
    with pytest.raises(ValueError, match="`parts` must be an integer of at least 1"):
        part_places(12, 0)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return write_table(tmp_path_factory.mktemp("data"), sizes=((64, 32), (40, 20)))


@pytest.mark.parametrize("blocks", [1, 2])
def test_the_parts_of_all_devices_are_the_batch(table, blocks):
    whole = pipeline.training(table, SIZE, sampler=PKSampler(2, 4), seed=3, partner=True)
    whole.position.epoch = 2
    places = part_places(8, 4, blocks)
    hosts = [whole.share(parts, 4, blocks) for parts in ((0, 1), (2, 3))]  # two hosts of two devices
    assert [int(host.cardinality()) for host in hosts] == [2 * whole.steps_per_epoch] * 2
    assert hosts[0].element_spec["image"].shape.as_list() == [2, *SIZE, 3]
    received = [part for pair in zip(*(_pairs(host) for host in hosts), strict=True) for part in pair]
    for step, batch in enumerate(batches(whole)):
        for key, values in batch.items():
            for number, part in enumerate([*received[2 * step], *received[2 * step + 1]]):
                np.testing.assert_array_equal(part[key], values[places[number]], err_msg=f"{key} of part {number}")


def _pairs(dataset):
    found = list(batches(dataset))
    return list(zip(found[::2], found[1::2], strict=True))


def test_a_part_goes_on_in_the_middle_of_an_epoch(table):
    whole = pipeline.training(table, SIZE, sampler=UniformSampler(4))
    part, rest = (list(batches(dataset.share([1], 2))) for dataset in (whole, whole.remainder(2)))
    assert len(part) == 3 and len(rest) == 1
    np.testing.assert_array_equal(rest[0]["image"], part[2]["image"])

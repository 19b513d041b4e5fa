import dataclasses

import numpy as np
import pytest

from keras_reid.datasets import ReIDTable
from keras_reid.pipeline import SAMPLERS, PKSampler, Sampler, UniformSampler


def table_of(counts, cameras=None):
    persons = np.repeat(np.arange(len(counts)), counts)
    return ReIDTable.from_columns([f"/{n}.jpg" for n in range(len(persons))], persons, cameras)


@pytest.mark.parametrize("sampler", [UniformSampler(4), PKSampler(3, 2)])
def test_plans_are_functions_of_seed_and_epoch(sampler):
    table = table_of([5, 6, 7, 8, 9])
    plan = sampler.batches(table, 3, 4)
    np.testing.assert_array_equal(plan, sampler.batches(table, 3, 4))
    assert plan.dtype == np.int64
    assert not np.array_equal(plan, sampler.batches(table, 3, 5))
    assert not np.array_equal(plan, sampler.batches(table, 4, 4))
    assert {sampler.batches(table, 0, epoch).shape for epoch in range(5)} == {plan.shape}
    assert plan.shape[1] == sampler.batch_size
    assert isinstance(sampler, Sampler)


def test_uniform_takes_each_image_once_and_drops_the_rest():
    plan = UniformSampler(4).batches(table_of([11]), 0, 0)
    assert plan.shape == (2, 4)
    assert len(set(plan.ravel())) == 8
    seen = {row for e in range(20) for row in UniformSampler(4).batches(table_of([11]), 0, e).flat}
    assert seen == set(range(11))


def test_uniform_names_a_table_smaller_than_a_batch():
    with pytest.raises(ValueError, match=r"needs 64 images. Received a table of 11"):
        UniformSampler(64).batches(table_of([11]), 0, 0)


@pytest.mark.parametrize("identities", [2, 3, 5, 6])
def test_pk_has_p_identities_of_k_neighbours_and_each_identity_comes(identities):
    table = table_of([4, 5, 6, 4, 5, 9])
    plan = PKSampler(identities, 4).batches(table, 0, 0)
    assert plan.shape == (-(-6 // identities), identities * 4)
    persons = table.person_id[plan].reshape(len(plan), identities, 4)
    assert (persons == persons[..., :1]).all()
    assert all(len(set(batch)) == identities for batch in persons[..., 0])
    assert len(set(plan.reshape(-1, 4)[0])) == 4
    firsts = persons[..., 0].ravel()
    assert sorted(firsts[:6]) == list(range(6))  # once each, before the last batch is filled up


def test_pk_draws_without_replacement_and_repeats_only_what_is_too_few():
    table = table_of([2, 4, 40])
    for epoch in range(10):
        for group in PKSampler(3, 4).batches(table, 0, epoch).reshape(3, 4):
            person = table.person_id[group[0]]
            _, times = np.unique(group, return_counts=True)
            assert times.tolist() == ([2, 2] if person == 0 else [1, 1, 1, 1])
    drawn = {row for e in range(60) for row in PKSampler(3, 4).batches(table, 0, e).flat}
    assert drawn == set(range(46))


def test_pk_spreads_over_cameras():
    table = table_of([20, 20], cameras=[0] * 16 + [1, 2, 3, 3] + [0] * 19 + [1])
    for epoch in range(10):
        for group in PKSampler(2, 4).batches(table, 0, epoch).reshape(2, 4):
            cameras = table.camera_id[group]
            expected = {0, 1, 2, 3} if table.person_id[group[0]] == 0 else {0, 1}
            assert set(cameras) == expected


def test_pk_draws_every_image_of_a_camera_equally_often():
    table = table_of([4, 4], cameras=[0, 0, 1, 1] * 2)
    rows = np.concatenate([PKSampler(2, 2).batches(table, 0, e).ravel() for e in range(400)])
    assert np.abs(np.bincount(rows) / 400 - 0.5).max() < 0.1


def test_pk_names_too_few_identities():
    with pytest.raises(ValueError, match=r"needs 16 identities. Received a table of 3"):
        PKSampler(16, 4).batches(table_of([4, 4, 4]), 0, 0)


@pytest.mark.parametrize("make", [lambda: UniformSampler(0), lambda: PKSampler(16, 2.5)])
def test_sizes_are_positive_integers(make):
    with pytest.raises(ValueError, match="must be an integer of at least 1"):
        make()


@pytest.mark.parametrize("name", sorted(set(SAMPLERS) - {"graph"}))  # the graph sampler plans by the weights
def test_registered_samplers_are_frozen(name):
    sampler = SAMPLERS[name]()
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(sampler, dataclasses.fields(sampler)[0].name, 3)


def test_more_passes_show_every_identity_more_often():
    table = table_of([5, 5, 5, 5, 5])
    plan = PKSampler(2, 2, passes=3).batches(table, 0, 0)
    assert plan.shape == (9, 4)
    shown = np.bincount(np.unique(table.person_id, return_inverse=True)[1][plan[:, ::2]].ravel())
    assert (shown >= 3).all()
    assert shown.sum() == 18
    with pytest.raises(ValueError, match="passes"):
        PKSampler(2, 2, passes=0)

import numpy as np
import pytest

from keras_reid.datasets import ReIDTable
from keras_reid.pipeline import SAMPLERS, CrossModalityPKSampler, Sampler


def table_of(counts, cameras=None):
    """Persons 3, 6, 9, ... with (visible, thermal) images each."""
    persons = np.repeat(3 * np.arange(1, len(counts) + 1), [sum(pair) for pair in counts])
    modality = np.concatenate([np.repeat([0, 1], pair) for pair in counts])
    return ReIDTable.from_columns([f"/{n}.jpg" for n in range(len(persons))], persons, cameras, modality=modality)


def test_is_registered_and_a_function_of_seed_and_epoch():
    sampler, table = SAMPLERS["cross_modality_pk"](identities=2, images=3), table_of([(4, 5)] * 5)
    assert isinstance(sampler, Sampler)
    plan = sampler.batches(table, 3, 4)
    np.testing.assert_array_equal(plan, sampler.batches(table, 3, 4))
    assert plan.dtype == np.int64
    assert not np.array_equal(plan, sampler.batches(table, 3, 5))
    assert not np.array_equal(plan, sampler.batches(table, 4, 4))
    assert {sampler.batches(table, 0, epoch).shape for epoch in range(5)} == {plan.shape}


@pytest.mark.parametrize("identities", [1, 2, 3, 5])
def test_halves_show_the_same_identities_in_the_same_order(identities):
    table = table_of([(4, 5), (6, 2), (3, 3), (9, 4), (2, 7)])
    plan = CrossModalityPKSampler(identities, 3).batches(table, 0, 0)
    assert plan.shape == (-(-24 // (3 * identities)), 6 * identities)
    persons = table.person_id[plan].reshape(len(plan), 2, identities, 3)
    modality = table.modality[plan].reshape(persons.shape)
    assert (modality == np.array([0, 1])[:, None, None]).all()
    assert (persons == persons[:, :1, :, :1]).all()
    assert all(len(set(batch)) == identities for batch in persons[:, 0, :, 0].tolist())


def test_every_identity_comes_once_per_pass():
    table = table_of([(4, 4)] * 6)
    plan = CrossModalityPKSampler(2, 2).batches(table, 0, 0)
    persons = table.person_id[plan].reshape(len(plan), 2, 2, 2)[:, 0, :, 0].ravel()
    for one_pass in persons.reshape(2, 6):
        assert sorted(one_pass) == sorted(table.person_ids)


def test_an_epoch_is_as_long_as_the_larger_modality():
    assert len(CrossModalityPKSampler(2, 2).batches(table_of([(10, 2)] * 3), 0, 0)) == 8
    assert len(CrossModalityPKSampler(2, 2).batches(table_of([(2, 10)] * 3), 0, 0)) == 8
    assert len(CrossModalityPKSampler(3, 9).batches(table_of([(1, 1)] * 3), 0, 0)) == 1


def test_images_are_spread_over_cameras_and_repeated_only_where_there_are_too_few():
    table = table_of([(6, 2)], cameras=[0, 0, 0, 1, 1, 4, 2, 2])
    for epoch in range(10):
        visible, thermal = CrossModalityPKSampler(1, 3).batches(table, 0, epoch)[0].reshape(2, 3)
        assert sorted(table.camera_id[visible]) == [0, 1, 4]
        assert sorted(np.unique(thermal, return_counts=True)[1]) == [1, 2]


def test_whoever_lacks_a_modality_is_left_out():
    table = table_of([(4, 4), (9, 0), (4, 4), (0, 3)])
    plan = CrossModalityPKSampler(2, 4).batches(table, 0, 0)
    assert len(plan) == 1
    assert set(table.person_id[plan].ravel()) == {3, 9}
    with pytest.raises(ValueError, match="needs 3 identities .* table of 4 identities, of which 2 have both"):
        CrossModalityPKSampler(3, 4).batches(table, 0, 0)


def test_bad_arguments():
    with pytest.raises(ValueError, match="`images` must be an integer of at least 1. Received: 0"):
        CrossModalityPKSampler(images=0)

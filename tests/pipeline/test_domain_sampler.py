import dataclasses

import numpy as np
import pytest

from keras_reid.datasets import ReIDTable
from keras_reid.pipeline import SAMPLERS, DomainPKSampler, PKSampler, Sampler


def table_of(identities_of_domains, images=5):
    """As many identities in each domain as said, domains interleaved in the table."""
    persons = np.repeat(np.arange(sum(identities_of_domains)), images)
    domains = np.repeat(np.repeat(np.arange(len(identities_of_domains)), identities_of_domains), images)
    order = np.random.default_rng(0).permutation(len(persons))
    paths = [f"/{row}.jpg" for row in range(len(persons))]
    return ReIDTable.from_columns(paths, persons[order], np.arange(len(persons)) % 3, domain=domains[order])


@pytest.mark.parametrize("sizes", [(9, 4), (4, 4, 31), (8, 8, 8, 8)])
def test_every_batch_has_as_many_identities_of_each_domain(sizes):
    table, count = table_of(sizes), len(sizes)
    plan = DomainPKSampler(4 * count, 3).batches(table, 1, 2)
    assert plan.shape == (-(-sum(sizes) // (4 * count)), 12 * count)
    assert plan.dtype == np.int64
    for batch in plan:
        groups = batch.reshape(count, 4, 3)
        assert (table.domain[groups] == np.arange(count)[:, None, None]).all()
        assert (table.person_id[groups] == table.person_id[groups[..., :1]]).all()
        assert len(set(table.person_id[batch])) == 4 * count
        assert all(len(set(group)) == 3 for group in groups.reshape(-1, 3))


def test_plans_are_functions_of_seed_and_epoch():
    table, sampler = table_of((5, 9)), DomainPKSampler(4, 2, passes=2)
    plan = sampler.batches(table, 3, 4)
    np.testing.assert_array_equal(plan, sampler.batches(table, 3, 4))
    assert not np.array_equal(plan, sampler.batches(table, 3, 5))
    assert not np.array_equal(plan, sampler.batches(table, 4, 4))
    assert {sampler.batches(table, 0, epoch).shape for epoch in range(5)} == {plan.shape} == {(8, 8)}
    assert isinstance(sampler, Sampler) and sampler.batch_size == 8


def test_small_domains_come_evenly_and_large_ones_in_turn():
    table, sampler = table_of((3, 40)), DomainPKSampler(4, 2)
    plan = sampler.batches(table, 0, 0)
    shown = np.bincount(table.person_id[plan[:, :4:2]].ravel(), minlength=3)
    assert shown.max() - shown.min() <= len(plan) // 2  # filled-up batches repeat some
    assert (shown >= len(plan) // 2).all()
    large = table.person_id[plan[:, 4::2]].ravel()
    assert len(set(large)) == len(large)
    seen = {person for epoch in range(12) for person in table.person_id[sampler.batches(table, 0, epoch)].flat}
    assert seen == set(range(43))


def test_one_domain_is_the_plain_sampler():
    table = table_of((7,))
    for sampler in (PKSampler(3, 2), PKSampler(7, 4, passes=3)):
        same = DomainPKSampler(**dataclasses.asdict(sampler))
        np.testing.assert_array_equal(same.batches(table, 5, 6), sampler.batches(table, 5, 6))


def test_domains_of_one_size_do_not_go_in_step():
    table = table_of((12, 12))
    plan = DomainPKSampler(4, 2).batches(table, 0, 0)
    persons = table.person_id[plan]
    assert not np.array_equal(persons[:, :4], persons[:, 4:] - 12)


def test_impossible_batches():
    with pytest.raises(ValueError, match=r"16 identities cannot hold as many of each of 3 domains\. .* e\.g\. 15"):
        DomainPKSampler(16, 4).batches(table_of((20, 20, 20)), 0, 0)
    with pytest.raises(
        ValueError, match=r"Domain 1 has 3 identities, and a batch of 8 takes 4 of each of 2 .* most 6,"
    ):
        DomainPKSampler(8, 4).batches(table_of((20, 3)), 0, 0)
    with pytest.raises(ValueError, match="must be an integer of at least 1"):
        DomainPKSampler(0)


def test_it_is_registered():
    assert SAMPLERS["domain_pk"] is DomainPKSampler

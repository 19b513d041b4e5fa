from pathlib import Path

import numpy as np
import pytest

from keras_reid import pipeline, zoo
from keras_reid.datasets import ReIDTable
from keras_reid.pipeline import GraphSampler
from keras_reid.training import Resume, TorchAdam, seed_everything
from tests.contracts import Stop, StopAfter, assert_equal_variables

FIXTURE = np.load(Path(__file__).parents[1] / "parity" / "qaconv_networks.npz", allow_pickle=False)
LABELS, DISTANCES = FIXTURE["graph_sampler/pids"], FIXTURE["graph_sampler/dist"]


def rng():
    return np.random.default_rng(0)


def test_batches_are_the_authors():
    ours = GraphSampler(batch_size=8, images=2).arrange(LABELS, -DISTANCES, rng())
    for theirs in FIXTURE["graph_sampler/epochs"].reshape(3, 12, 8):
        # Neighbours in their order, then the anchor; which batch comes first is chance.
        expected = {tuple(LABELS[batch]) for batch in theirs}
        assert {tuple(LABELS[batch]) for batch in ours} == expected
        assert {batch[-1] for batch in LABELS[theirs]} == set(range(12))


@pytest.mark.parametrize("images", [2, 3])
def test_every_image_of_an_identity_comes_equally_often(images):
    sampler = GraphSampler(batch_size=4 * images, images=images)
    counts, generator = np.zeros(len(LABELS), int), rng()
    for _ in range(5):
        plan = sampler.arrange(LABELS, -DISTANCES, generator)
        counts += np.bincount(plan.ravel(), minlength=len(LABELS))
        for batch in plan:
            assert (LABELS[batch].reshape(4, images) == LABELS[batch][::images, None]).all()
    for label in range(12):
        assert np.ptp(counts[label == LABELS]) <= 1


class ByColour:
    """Colour as the feature: identities of like colours are neighbours."""

    image_size, interpolation = (32, 32), "bilinear"

    def __init__(self):
        self.asked = 0

    def extract(self, images, verbose=0):
        self.asked += 1
        return np.concatenate([np.mean(batch["image"], axis=(1, 2)) for batch in images])

    def score(self, query, gallery):
        return -np.linalg.norm(query[:, None] - gallery[None], axis=2)


@pytest.fixture
def greys(tmp_path):
    """Six people, each of one grey: 0, 50, ... 250."""
    from PIL import Image

    paths = [tmp_path / f"{person}_{number}.png" for person in range(6) for number in range(3)]
    for path in paths:
        Image.new("L", (32, 32), 50 * int(path.name[0])).convert("RGB").save(path)
    return ReIDTable.from_columns([str(path) for path in paths], [int(path.name[0]) * 10 for path in paths])


def test_any_model_with_extract_and_score_plans(greys):
    sampler, model = GraphSampler(batch_size=4, images=2), ByColour()
    sampler.plan(model, greys, seed=0, epoch=0)
    plan = sampler.batches(greys, seed=0, epoch=0)
    assert plan.shape == (6, 4)
    people = greys.person_id[plan[:, ::2]]
    assert sorted(people[:, 1].tolist()) == [0, 10, 20, 30, 40, 50]
    assert (np.abs(people[:, 0] - people[:, 1]) == 10).all()
    again = GraphSampler(batch_size=4, images=2)
    again.plan(model, greys, seed=0, epoch=0)
    np.testing.assert_array_equal(again.batches(greys, 0, 0), plan)
    sampler.plan(model, greys, seed=0, epoch=1)
    assert (sampler.batches(greys, 0, 1) != plan).any()
    sampler.plan(model, greys, seed=0, epoch=0)  # another run on the same sampler
    np.testing.assert_array_equal(sampler.batches(greys, 0, 0), plan)


def test_without_a_plan_neighbours_are_random_but_reproducible(greys):
    sampler = GraphSampler(batch_size=4, images=2)
    plans = [sampler.batches(greys, seed, 0) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(plans[0], plans[1])
    assert (plans[0] != plans[2]).any()


def test_state_goes_on_in_the_middle_of_an_epoch(greys):
    straight, model = GraphSampler(batch_size=4, images=2), ByColour()
    for epoch in range(2):
        straight.plan(model, greys, 0, epoch)
    resumed = GraphSampler(batch_size=4, images=2)
    resumed.set_state(straight.state())
    asked = model.asked
    resumed.plan(model, greys, 0, 1)
    assert model.asked == asked  # the epoch under way is not planned again
    np.testing.assert_array_equal(resumed.batches(greys, 0, 1), straight.batches(greys, 0, 1))
    for sampler in (straight, resumed):
        sampler.plan(model, greys, 0, 2)
    np.testing.assert_array_equal(resumed.batches(greys, 0, 2), straight.batches(greys, 0, 2))
    GraphSampler(4, 2).set_state(GraphSampler(4, 2).state())  # nothing planned, nothing to restore


def trained(people, sampler, **options):
    seed_everything(0)
    model = zoo.load("qaconv_gs_tiny", image_size=(64, 32))
    model.compile(TorchAdam(1e-3))
    batches = pipeline.training(people.train, image_size=(64, 32), sampler=sampler, cache="memory")
    return model, batches, model.fit(batches, epochs=3, verbose=0, **options)


@pytest.mark.parametrize("stop", [pytest.param((0, 2), marks=pytest.mark.slow), (1, 4), (2, 1)])
def test_fit_plans_every_epoch_and_resuming_equals_never_stopping(people, tmp_path, stop):
    planned = []

    class Recording(GraphSampler):
        def plan(self, model, table, seed, epoch):
            super().plan(model, table, seed, epoch)
            planned.append((epoch, self.batches(table, seed, epoch).tolist()))

    straight, batches, _ = trained(people, Recording(4, 2))
    assert [epoch for epoch, _ in planned] == [0, 1, 2]
    assert batches.steps_per_epoch == 4
    with pytest.raises(Stop):
        trained(people, GraphSampler(4, 2), callbacks=[Resume(tmp_path, every_steps=1), StopAfter(*stop)])
    expected, planned = dict(planned), []
    resumed, _, _ = trained(people, Recording(4, 2), callbacks=[Resume(tmp_path)])
    for epoch, plan in planned:
        assert plan == expected[epoch]
    assert_equal_variables(resumed.variables, straight.variables, exact=False)


def test_recipes_know_it():
    assert pipeline.SAMPLERS["graph"](batch_size=6, images=3).identities == 2


def test_bad_arguments(greys):
    with pytest.raises(ValueError, match=r"`batch_size` must be a multiple of `images`, at least twice as large"):
        GraphSampler(batch_size=5, images=2)
    with pytest.raises(ValueError, match=r"`images` must be an integer of at least 1"):
        GraphSampler(images=0)
    with pytest.raises(ValueError, match=r"needs 8 identities. Received a table of 6. Use GraphSampler\(batch_size=12"):
        GraphSampler(16, 2).batches(greys, 0, 0)
    with pytest.raises(ValueError, match=r"must be \[12, 12\] numbers. Received: \(3, 3\)"):
        GraphSampler(8, 2).arrange(LABELS, np.zeros((3, 3)), rng())
    with pytest.raises(ValueError, match="NaN among them"):
        GraphSampler(8, 2).arrange(LABELS, np.full((12, 12), np.nan), rng())

import keras
import numpy as np
import pytest

from keras_reid import evaluate, pipeline, zoo
from keras_reid.datasets import combine
from keras_reid.methods import GMN
from keras_reid.methods.gmn.scoring import block_shape
from tests.contracts import MethodContract
from tests.people import coloured_people


class TestGMN(MethodContract):
    name = "gmn_tiny"
    overrides = {"warmup_steps": 2}


class TestGMNWithoutMetricNetwork(MethodContract):
    name = "gmn_tiny"
    overrides = {
        "metric_network": False,
        "metric": "cosine",
        "pair_centre_weight": 0.0,
        "pooling": "gem",
        "margin": None,
    }


RNG = np.random.default_rng(0)


def trained_like(**options):
    """A small model whose M-Net and neck have weights and statistics as after training, of any sign."""
    model = GMN(**{"backbone": "tiny", "hidden": (8,), "image_size": (64, 32), **options})
    for layer in (model.metric_network, model.neck):
        for number, variable in enumerate(layer.weights if layer is not None else ()):
            low = 0.5 if "variance" in variable.path or "gamma" in variable.path else -1.0
            values = np.random.default_rng(number).uniform(low, 1.5, variable.shape) * 0.3
            variable.assign(values.astype("float32"))
    return model


def features(count):
    return RNG.random((count, 256)).astype("float32")


@pytest.mark.parametrize("hidden", [(8,), (8, 5), (3, 4, 5)])
def test_the_products_equal_the_network_on_every_pair(hidden):
    model, query, gallery = trained_like(hidden=hidden), features(5), features(37)
    direct = np.stack([keras.ops.convert_to_numpy(model.metric_network(np.square(one - gallery))) for one in query])
    np.testing.assert_allclose(model.logits(query, gallery), direct, atol=1e-4)
    np.testing.assert_allclose(model.logits(query + 50.0, gallery + 50.0), direct, atol=1e-2)
    np.testing.assert_allclose(model.logits(gallery, query).T, direct, atol=1e-4)
    itself = np.diag(model.logits(query, query))
    np.testing.assert_allclose(itself, itself[0], atol=1e-4)


def test_many_blocks_equal_one(monkeypatch):
    model, query, gallery = trained_like(), features(9), features(70)
    whole = model.logits(query, gallery)
    monkeypatch.setattr("keras_reid.methods.gmn.scoring._GALLERY_ROWS", 16)
    monkeypatch.setattr("keras_reid.methods.gmn.scoring._QUERY_ROWS", 2)
    np.testing.assert_allclose(model.logits(query, gallery), whole, atol=1e-5)


def test_blocks_are_powers_of_two_within_the_budget():
    assert block_shape(500, 5000, 2048, 512, 64) == (4, 1024)
    assert block_shape(500, 5000, 2048, 512, 1) == (1, 1024)
    assert block_shape(3, 20, 256, 64, 64) == (4, 32)
    assert block_shape(500, 5000, 256, 64, 64) == (32, 1024)


def test_scores_are_squeezed_logits_without_ties():
    model, query, gallery = trained_like(), features(3), features(50)
    model.metric_network.logit.kernel.assign(20.0 * model.metric_network.logit.kernel)
    model.metric_network.logit.bias.assign([25.0 - np.max(model.logits(query, gallery))])
    logits, scores = model.logits(query, gallery), model.score(query, gallery)
    assert logits.max() > 20.0
    assert scores.dtype == np.float64 and scores.max() <= 1.0
    np.testing.assert_allclose(scores, 1.0 / (1.0 + np.exp(-logits.astype("float64"))), rtol=1e-12)
    assert (np.argsort(scores, axis=1) == np.argsort(logits, axis=1)).all()


def test_metrics():
    model, query, gallery = trained_like(), features(4), features(30)
    logits = model.score(query, gallery)
    model.metric = "cosine"
    cosines = model.score(query, gallery)
    embedded = [keras.ops.convert_to_numpy(model.neck(x, training=False)) for x in (query, gallery)]
    embedded = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in embedded]
    np.testing.assert_allclose(cosines, embedded[0] @ embedded[1].T, atol=1e-5)
    model.metric = "sum"
    both = model.score(query, gallery)
    assert both.shape == logits.shape and ((both > 0) & (both < 1)).all()
    z = [(x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True) for x in (model.logits(query, gallery), cosines)]
    assert (np.argsort(both, axis=1) == np.argsort(z[0] + z[1], axis=1)).all()


def test_a_shortlist_ranks_its_own_exactly_and_the_rest_below():
    model, query, gallery = trained_like(), features(4), features(30)
    exact, short = model.score(query, gallery), model.score(query, gallery, shortlist=6)
    cosines = model.cosines(query, gallery)
    for row in range(4):
        listed = np.argsort(-cosines[row])[:6]
        np.testing.assert_allclose(short[row, listed], exact[row, listed], rtol=1e-4)
        rest = np.setdiff1d(np.arange(30), listed)
        assert short[row, rest].max() < short[row, listed].min()
        assert (np.argsort(short[row, rest]) == np.argsort(cosines[row, rest])).all()
    np.testing.assert_array_equal(model.score(query, gallery, shortlist=30), exact)
    with pytest.raises(ValueError, match="`shortlist` must be an integer of at least 1. Received: 0"):
        model.score(query, gallery, shortlist=0)
    model.metric = "sum"
    with pytest.raises(ValueError, match=r"`shortlist` is for the metric 'mnet'\. Received: 'sum'"):
        model.score(query, gallery, shortlist=6)


def test_steps_are_counted_and_the_dropout_waits_for_its_time(people):
    batches = pipeline.training(people.train, image_size=(64, 32), sampler=pipeline.PKSampler(2, 4))
    model = zoo.load("gmn_tiny", image_size=(64, 32), warmup_steps=3)
    seen = []
    call = model.metric_network.call

    def spy(pairs, training=False, perturb=1.0):
        seen.append(perturb)
        return call(pairs, training=training, perturb=perturb)

    model.metric_network.call = spy
    model.compile("sgd", run_eagerly=True)
    model.fit(batches, epochs=3, verbose=0, validation_data=batches)
    if keras.backend.backend() != "jax":  # there the calls are traced
        assert [float(value) for value in seen] == [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1]
    assert int(keras.ops.convert_to_numpy(model.steps_trained)) == 6


def losses_of(model, batch):
    """Named losses of one batch in evaluation: no dropout, running statistics."""
    return model.test_on_batch(batch, return_dict=True)


def batch_of(domains):
    images = RNG.random((6, 64, 32, 3)).astype("float32")
    return {
        "image": images,
        "person_id": np.array([0, 0, 1, 1, 2, 2], "int32"),
        "domain": np.array(domains, "int32"),
    }


def test_the_objective_is_the_sum_of_its_parts():
    model = trained_like(num_classes=3, pair_centre_weight=2.5)
    model.compile("sgd")
    found = losses_of(model, batch_of([0] * 6))
    assert set(found) == {"loss", "identity", "triplet", "accuracy", "pair", "pair_centre"}
    expected = found["identity"] + found["triplet"] + found["pair"] + 2.5 * found["pair_centre"]
    assert found["loss"] == pytest.approx(expected, rel=1e-5)
    plain = GMN(
        backbone="tiny",
        image_size=(64, 32),
        num_classes=3,
        metric_network=False,
        metric="cosine",
        pair_centre_weight=0.0,
    )
    plain.compile("sgd")
    assert set(losses_of(plain, batch_of([0] * 6))) == {"loss", "identity", "triplet", "accuracy"}


def test_negatives_of_two_domains_can_be_left_out():
    model = trained_like(num_classes=3)
    batch = batch_of([0, 0, 0, 0, 1, 1])
    values = keras.ops.convert_to_numpy(model(batch["image"]))
    logits = model.logits(values, values).astype("float64")
    first, second = np.triu_indices(6, 1)
    positive = batch["person_id"][first] == batch["person_id"][second]
    within = batch["domain"][first] == batch["domain"][second]
    z = logits[first, second]
    for cross, counted in ((True, ~positive), (False, ~positive & within)):
        model.cross_domain_negatives = cross
        model.compile("sgd")
        expected = 0.5 * np.logaddexp(0, -z[positive]).mean() + 0.5 * np.logaddexp(0, z[counted]).mean()
        assert losses_of(model, batch)["pair"] == pytest.approx(expected, rel=1e-3)


def test_trains_on_several_sources_with_the_recipe_and_is_evaluated_by_each_metric(people, tmp_path):
    other = coloured_people(tmp_path, seed=1)
    both = combine([people, other], target=people)
    model = zoo.load("gmn_tiny", image_size=(64, 32))
    history = zoo.recipe("gmn_tiny").fit(model, both, epochs=1, sampler={"identities": 4}, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    assert model.num_classes == 8
    for metric in ("mnet", "cosine", "sum"):
        model.metric = metric
        assert 0.0 < evaluate(model, both, progress=False).mean_ap <= 1.0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"pooling": "avg"}, r"Unknown pooling 'avg'"),
        ({"metric": "mmnet"}, r"Unknown metric 'mmnet'. Did you mean 'mnet'"),
        ({"metric_network": False}, r"Without a metric network the metric is 'cosine'\. Received: 'mnet'"),
        ({"perturbation": 1.0}, r"`perturbation` must be in \[0, 1\)"),
        ({"hidden": (0,)}, r"`hidden` must be an integer of at least 1"),
        ({"warmup_steps": -1}, r"must not be negative\. Received: 0.3, 1.0, -1"),
        ({"pair_centre_weight": -0.5}, "must not be negative"),
        ({"label_smoothing": 1.0}, r"`label_smoothing` must be in \[0, 1\)"),
    ],
)
def test_bad_arguments(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        GMN(**{"backbone": "tiny", "image_size": (64, 32), **arguments})


def test_bad_features():
    model = trained_like()
    with pytest.raises(ValueError, match=r"GMN compares features \[N, 256\] of `extract`.*Received: \(2, 3\)"):
        model.score(np.zeros((2, 3)), features(2))
    with pytest.raises(ValueError, match="budget_mb"):
        model.logits(features(1), features(1), budget_mb=0)
    without = GMN(backbone="tiny", image_size=(64, 32), metric_network=False, metric="cosine")
    with pytest.raises(ValueError, match="has no metric network"):
        without.logits(features(1), features(1))


def test_an_incomplete_batch_of_a_foreign_dataset():
    import tensorflow as tf

    model = trained_like(num_classes=3)
    model.compile("sgd")
    data = tf.data.Dataset.from_tensor_slices(batch_of([0] * 6)).batch(4)
    if keras.backend.backend() == "tensorflow":
        with pytest.raises(ValueError, match=r"batch of known size"):
            model.fit(data, verbose=0)

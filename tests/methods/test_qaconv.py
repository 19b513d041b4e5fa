import keras
import numpy as np
import pytest

from keras_reid.methods import QAConv
from keras_reid.methods.qaconv.scoring import block_shape
from tests.contracts import MethodContract


class TestQAConv(MethodContract):
    name = "qaconv_tiny"
    thorough = True

    def test_named_losses_fall(self, people):
        # In the first epoch the memory is empty, so there is nothing to be wrong about.
        history = self.compiled().fit(self.batches(people), epochs=12, verbose=0).history
        assert set(history) == {"loss", "accuracy"}
        assert history["loss"][0] < 0.1
        assert np.mean(history["loss"][-2:]) < 0.9 * np.mean(history["loss"][1:3])


class TestQAConvGS(MethodContract):
    name = "qaconv_gs_tiny"

    def test_inference_model_has_no_heads(self):
        # There is no memory either: all of the model is published.
        model = self.model(num_classes=4)
        assert model.inference_model().num_classes is None
        assert model.inference_model().count_params() == model.count_params()


RNG = np.random.default_rng(0)
VERSIONS = ("qaconv", "qaconv_gs")


def unit_maps(count, height=4, width=2, channels=8):
    values = RNG.normal(size=(count, height, width, channels)).astype("float32")
    return values / np.linalg.norm(values, axis=-1, keepdims=True)


def randomised(version, **options):
    """A small model whose matcher has random weights and statistics."""
    model = QAConv(version=version, backbone="tiny", channels=8, image_size=(64, 32), **options)
    for number, variable in enumerate(model.matcher.weights):
        variable.assign(np.random.default_rng(number).uniform(0.5, 1.5, variable.shape).astype("float32"))
    return model


@pytest.mark.parametrize("version", VERSIONS)
def test_blocks_give_the_matcher_s_logits(version):
    model, query, gallery = randomised(version), unit_maps(5), unit_maps(67)
    expected = keras.ops.convert_to_numpy(model.matcher(query, gallery))
    np.testing.assert_allclose(model.logits(query, gallery), expected, rtol=1e-4, atol=1e-4)
    rough = model.logits(query, gallery, precision="bfloat16")
    assert 0 < np.abs(rough - expected).max() < 0.05 * expected.std()


def test_blocks_are_powers_of_two_within_the_budget():
    assert block_shape(256, 512, 192, "float32", 16) == (64, 64)
    assert block_shape(256, 512, 192, "bfloat16", 16) == (128, 64)
    assert block_shape(5, 3, 192, "float32", 16) == (8, 4)
    assert block_shape(256, 512, 5000, "float32", 1) == (1, 64)


@pytest.mark.parametrize("budget_mb", [1, 3])
def test_many_blocks_equal_one(budget_mb):
    model = QAConv(backbone="tiny", channels=4, image_size=(256, 128))
    query, gallery = unit_maps(70, 16, 8, 4), unit_maps(3, 16, 8, 4)
    assert block_shape(70, 3, 128, "float32", budget_mb)[0] < 64
    whole = model.logits(query, gallery, budget_mb=64)
    np.testing.assert_allclose(model.logits(query, gallery, budget_mb=budget_mb), whole, atol=1e-5)


def test_scores_are_squeezed_logits_without_ties():
    model, query, gallery = randomised("qaconv"), unit_maps(2), unit_maps(40)
    logits = model.logits(query, gallery)
    scores = model.score(query, gallery)
    assert scores.dtype == np.float64
    np.testing.assert_allclose(scores, 1.0 / (1.0 + np.exp(-logits.astype("float64") / 10.0)), rtol=1e-12)
    # As confident as trained matchers get, both ways: no two logits get one score.
    model.matcher.logit_bn.gamma.assign(np.full(1, 100.0, "float32"))
    model.matcher.logit_bn.beta.assign(np.full(1, 60.0 - np.median(model.logits(query, gallery)), "float32"))
    logits, scores = model.logits(query, gallery), model.score(query, gallery)
    assert 100.0 < np.abs(logits).max() < 250.0
    assert len(np.unique(scores)) == len(np.unique(logits))
    assert ((scores > 0) & (scores < 1)).all()
    assert (np.argsort(scores, axis=1) == np.argsort(logits, axis=1)).all()


def test_a_shortlist_ranks_its_own_exactly_and_the_rest_below():
    model, gallery = randomised("qaconv_gs"), unit_maps(30)
    query = gallery[:4]
    exact, short = model.score(query, gallery), model.score(query, gallery, shortlist=6)
    for row in range(4):
        listed = np.flatnonzero(np.isclose(short[row], exact[row], rtol=1e-5))
        assert len(listed) == 6 and row in listed
        assert np.delete(short[row], listed).max() < short[row, listed].min()
    np.testing.assert_allclose(model.score(query, gallery, shortlist=30), exact)
    recall = model.shortlist_recall(query, gallery, 6, top=3)
    best = np.argsort(-exact, axis=1)[:, :3]
    ranks = np.argsort(-short, axis=1)[:, :6]
    assert recall == pytest.approx(np.mean([np.isin(b, r).mean() for b, r in zip(best, ranks, strict=True)]))
    assert model.shortlist_recall(query, gallery, 30) == 1.0


def test_correspondences_add_up_to_the_logit_but_for_a_constant():
    for version in VERSIONS:
        model, query, gallery = randomised(version), unit_maps(2), unit_maps(3)
        found = model.correspondences(query, gallery)
        total = found.probe_score.sum((2, 3)) + found.gallery_score.sum((2, 3))
        rest = model.logits(query, gallery) - total
        np.testing.assert_allclose(rest, rest[0, 0], atol=1e-4)
        assert found.index_in_gallery.shape == (2, 3, 4, 2)


def test_the_memory_is_written_after_the_loss_and_only_in_training():
    keras.utils.set_random_seed(0)
    model = QAConv(backbone="tiny", channels=8, image_size=(64, 32), num_classes=5)
    model.compile("sgd")
    numbers = np.array([3, 1, 3], "int32")
    batch = {"image": RNG.random((3, 64, 32, 3)).astype("float32"), "person_id": numbers}
    model.evaluate(tf_batches(batch), verbose=0)
    assert keras.ops.convert_to_numpy(model.memory.valid).tolist() == [0, 0, 0, 0, 0]
    model.fit(tf_batches(batch), verbose=0)
    assert keras.ops.convert_to_numpy(model.memory.valid).tolist() == [0, 1, 0, 1, 0]
    maps = keras.ops.convert_to_numpy(model.memory.maps)
    np.testing.assert_allclose(np.linalg.norm(maps[[1, 3]], axis=-1), 1.0, rtol=1e-5)
    assert (maps[[0, 2, 4]] == 0).all()


def tf_batches(batch):
    import tensorflow as tf

    return tf.data.Dataset.from_tensors(batch)


def test_empty_identities_count_only_when_asked_for():
    for mask_empty, expected in ((True, 0.0), (False, 5 * 0.25 * np.log(2))):
        model = QAConv(
            backbone="tiny", channels=8, image_size=(64, 32), num_classes=5, mask_empty=mask_empty, name="model"
        )
        model.compile("sgd")
        # All maps of the memory are empty, so all similarities are 0 and all logits equal the normalised bias, 0.
        batch = {"image": np.zeros((2, 64, 32, 3), "float32"), "person_id": np.array([0, 1], "int32")}
        loss = model.train_on_batch(batch, return_dict=True)["loss"]
        assert float(loss) == pytest.approx(expected, abs=1e-4)


def test_frozen_statistics_stay_while_the_scales_train():
    model = QAConv(version="qaconv_gs", backbone="tiny", channels=8, image_size=(64, 32), num_classes=2)
    model.compile("sgd")
    layer = model.backbone.stem.bn1
    before = [np.array(keras.ops.convert_to_numpy(v)) for v in (layer.moving_mean, layer.gamma)]
    batch = {"image": RNG.random((4, 64, 32, 3)).astype("float32"), "person_id": np.array([0, 0, 1, 1], "int32")}
    model.fit(tf_batches(batch), verbose=0)
    after = [keras.ops.convert_to_numpy(v) for v in (layer.moving_mean, layer.gamma)]
    assert (before[0] == after[0]).all() and (before[1] != after[1]).any()
    assert keras.ops.convert_to_numpy(model.matcher.bn.moving_mean)[0] != 0.0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"version": "qaconv2"}, r"Unknown QAConv version 'qaconv2'. Did you mean 'qaconv"),
        ({"initialization": "average"}, r"Unknown initialization 'average'. Did you mean 'averaging'"),
        ({"margin": 0.0}, r"`margin` and `temperature` must be positive. Received: 0.0, 10.0"),
        ({"channels": 0}, r"`channels` must be an integer of at least 1"),
        ({"memory_storage": "int8"}, r"Unknown storage of the class memory 'int8'"),
    ],
)
def test_bad_arguments(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        QAConv(**{"backbone": "tiny", "image_size": (64, 32), **arguments})


def test_bad_maps_and_options():
    model = randomised("qaconv")
    with pytest.raises(ValueError, match=r"compares maps \[N, 4, 2, d\], which `extract` returns. Received: \(1, 3, 2"):
        model.score(unit_maps(1, height=3), unit_maps(1))
    with pytest.raises(ValueError, match="Unknown precision of the similarities 'float16'"):
        model.score(unit_maps(1), unit_maps(1), precision="float16")
    with pytest.raises(ValueError, match="`shortlist` must be an integer of at least 1. Received: 0"):
        model.score(unit_maps(1), unit_maps(1), shortlist=0)

import dataclasses

import keras
import numpy as np
import pytest
from keras import ops

from keras_reid import pipeline, zoo
from keras_reid.adaptation import site_pairs, translated
from keras_reid.methods import SPGAN
from keras_reid.methods.spgan.history import ImageHistory
from keras_reid.methods.spgan.networks import Generator, MetricNetwork, PatchDiscriminator
from keras_reid.methods.spgan.objectives import discriminator_terms, generator_terms, metric_terms
from keras_reid.pipeline import DomainPKSampler
from keras_reid.training import seed_everything
from tests.contracts import MethodContract

SIZE = (64, 64)
SMALL = {"width": 4, "blocks": 1, "history": 4, "warmup_iterations": 0}
RNG = np.random.default_rng(0)


def numpy(tensor):
    return np.array(ops.convert_to_numpy(tensor))


def small(**options):
    seed_everything(0)
    return zoo.load("spgan_tiny", image_size=SIZE, **{**SMALL, **options})


def sites(people):
    """The people's own colours are the source; with red and blue exchanged they would be the target."""
    return site_pairs(people.train, people.gallery)


class TestSPGAN(MethodContract):
    """Where the contract applies: SPGAN recognises nobody and has no head."""

    name = "spgan_tiny"
    image_size = SIZE
    overrides = SMALL

    def batches(self, people, seed=0, **options):
        options = {"sampler": DomainPKSampler(8, 1, passes=1), "transforms": (pipeline.Flip(),), **options}
        table = sites(people).take(np.r_[0:8, 40:48])
        return pipeline.training(table, image_size=SIZE, seed=seed, cache="memory", **options)

    def test_named_losses_fall(self, people):
        history = self.compiled().fit(self.batches(people), epochs=12, verbose=0).history
        assert set(history) == set(self.model().loss_names)
        for name in ("cycle", "identity"):
            assert np.mean(history[name][-2:]) < 0.9 * np.mean(history[name][:2]), name

    def test_separates_separable_people(self, people):
        pytest.skip("It recognises nobody.")

    def test_inference_model_has_no_heads(self, people):
        model = small(history=4)
        published = model.inference_model()
        assert published.count_params() == model.count_params() - 2 * 3 * int(np.prod((*SIZE, 3)))
        images = RNG.random((2, *SIZE, 3), dtype="float32")
        np.testing.assert_array_equal(published.translate(images), model.translate(images))
        np.testing.assert_array_equal(published.extract(images), model.extract(images))

    def test_wrong_images(self):
        for read in (self.model().extract, self.model().translate):
            with pytest.raises(ValueError, match=r"must have the shape \[N, 64, 64, 3\]"):
                read(np.zeros((1, 32, 32, 3), "float32"))

    def test_dataset_that_does_not_fit(self, people):
        table = sites(people).take(np.r_[0:8, 40:48])
        odd = pipeline.training(table, image_size=SIZE, sampler=DomainPKSampler(6, 1))
        with pytest.raises(ValueError, match="SPGAN needs batches of a multiple of 4 images.*Received: 6"):
            self.compiled().fit(odd, verbose=0)

    def test_an_unreadable_image_is_named_and_nothing_is_lost(self, people, tmp_path):
        pytest.skip("Tested with other methods; the contract's data are of one site.")


def test_published_numbers_of_parameters():
    def count(layer):
        layer.build((None, 256, 128, 3))
        return sum(int(np.prod(weight.shape)) for weight in layer.weights)

    assert count(Generator()) == 11_378_179
    assert count(PatchDiscriminator()) == 2_764_737
    assert count(MetricNetwork()) == 929_216
    assert Generator().compute_output_spec(keras.KerasTensor((2, 256, 128, 3))).shape == (2, 256, 128, 3)
    assert PatchDiscriminator().compute_output_spec(keras.KerasTensor((2, 256, 128, 3))).shape == (2, 30, 14, 1)


def test_losses_equal_the_loops():
    model = small()
    x, y = (RNG.uniform(-1, 1, (3, *SIZE, 3)).astype("float32") for _ in range(2))
    gx, fy = numpy(model.to_target(x)), numpy(model.to_source(y))
    d_t, d_s = (lambda z: numpy(model.target_discriminator(z))), (lambda z: numpy(model.source_discriminator(z)))
    m = {name: numpy(model.metric(z)) for name, z in {"x": x, "y": y, "gx": gx, "fy": fy}.items()}

    def same(a, b):
        return np.mean([((p - q) ** 2).sum() for p, q in zip(m[a], m[b], strict=True)])

    def different(a, b):
        return np.mean([max(0.0, 2.0 - np.sqrt(((p - q) ** 2).sum())) ** 2 for p, q in zip(m[a], m[b], strict=True)])

    expected = {
        "adversarial": ((d_t(gx) - 1) ** 2).mean() + ((d_s(fy) - 1) ** 2).mean(),
        "cycle": np.abs(numpy(model.to_source(gx)) - x).mean() + np.abs(numpy(model.to_target(fy)) - y).mean(),
        "identity": np.abs(numpy(model.to_target(y)) - y).mean() + np.abs(numpy(model.to_source(x)) - x).mean(),
        "similarity": (same("x", "gx") + same("y", "fy") + 0.5 * (different("gx", "y") + different("fy", "x"))) / 4,
    }
    x, y, gx, fy = (ops.convert_to_tensor(images) for images in (x, y, gx, fy))
    total, terms = generator_terms(model, x, y, similarity=2.0)
    for name, value in expected.items():
        assert float(numpy(terms[name])) == pytest.approx(float(value), rel=1e-3), name
    whole = sum(w * expected[n] for n, w in zip(expected, (1.0, 10.0, 5.0, 2.0), strict=True))
    assert float(numpy(total)) == pytest.approx(float(whole), rel=1e-3)
    judged = (d_t(gx) ** 2).mean() + ((d_t(y) - 1) ** 2).mean() + (d_s(fy) ** 2).mean() + ((d_s(x) - 1) ** 2).mean()
    assert float(numpy(discriminator_terms(model, x, y, gx, fy)[0])) == pytest.approx(float(judged), rel=1e-3)
    metric = (same("x", "gx") + same("y", "fy") + 2 * different("x", "y")) / 3
    assert float(numpy(metric_terms(model, x, y, gx, fy, 1.0, False)[0])) == pytest.approx(float(metric), rel=1e-3)
    assert float(numpy(metric_terms(model, x, y, gx, fy, 0.0, False)[0])) == 0.0


def changed(before, layer):
    return any(np.abs(old - numpy(new)).max() > 0 for old, new in zip(before, layer.weights, strict=True))


def test_each_network_is_trained_in_its_turn(people):
    model = small(warmup_iterations=2)
    data = TestSPGAN().batches(people)
    batch = {name: np.asarray(value) for name, value in next(iter(data)).items()}
    model._prepare(data)
    parts = (model.to_target, model.to_source, model.target_discriminator, model.source_discriminator, model.metric)
    trained = []
    for _ in range(3):
        before = [[numpy(weight) for weight in part.weights] for part in parts]
        model.train_on_batch(batch)
        trained.append([changed(old, part) for old, part in zip(before, parts, strict=True)])
    assert trained == [[True, True, True, True, False]] * 2 + [[True] * 5]  # the metric network begins later
    assert float(numpy(model.iteration)) == 3.0
    assert float(numpy(model.target_history.count)) == 4.0


def test_the_history_fills_and_then_exchanges():
    history = ImageHistory(size=6)
    history.build((None, 1, 1, 1))
    seed_everything(0)
    given, returned = set(), []
    for step in range(40):
        images = np.arange(3 * step, 3 * step + 3, dtype="float32").reshape(3, 1, 1, 1)
        given |= set(images.ravel().tolist())
        out = numpy(history.exchange(images)).ravel().tolist()
        if step < 2:
            assert out == images.ravel().tolist()
        assert set(out) <= given
        returned += [value < 3 * step for value in out]
    assert 0.35 < np.mean(returned[6:]) < 0.65
    assert len(set(numpy(history.images).ravel().tolist())) == 6


def test_a_source_drawn_anew(people, tmp_path):
    from PIL import Image

    class Negative:
        image_size = (64, 32)
        calls = 0

        def translate(self, images):
            self.calls += len(images)
            return 1.0 - images

    model, table = Negative(), people.train.take(np.arange(5))
    new = translated(model, table, tmp_path, batch_size=2)
    np.testing.assert_array_equal(new.person_id, table.person_id)
    old, drawn = (np.asarray(Image.open(t.path[3]), "int32") for t in (table, new))
    np.testing.assert_array_equal(old + drawn, 255)
    translated(model, table, tmp_path)
    assert model.calls == 5  # they were there


def test_pairs_of_sites(people):
    pairs = sites(people)
    assert len(pairs) == pairs.num_persons == len(people.train) + len(people.gallery)
    assert pairs.domain.sum() == len(people.gallery)
    assert dataclasses.replace(pairs).path[0] == people.train.path[0]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"image_size": (64, 32)}, "multiples of 4 and at least 64 pixels. Received: \\(64, 32\\)"),
        ({"cycle_weight": -1.0}, "must not be negative"),
        ({"width": 0}, "`width` must be an integer of at least 1"),
        ({"history": 0}, "`size` must be an integer of at least 1"),
    ],
)
def test_bad_arguments(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        SPGAN(**{"image_size": SIZE, **SMALL, **arguments})


def test_unknown_style():
    with pytest.raises(ValueError, match="Unknown style 'traget'. Did you mean 'target'"):
        small().translate(np.zeros((1, *SIZE, 3)), to="traget")

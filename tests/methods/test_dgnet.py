import keras
import numpy as np
import pytest
from keras import ops

from keras_reid import pipeline, zoo
from keras_reid.layers import doubled
from keras_reid.methods import Baseline, DGNet
from keras_reid.methods.dgnet import AppearanceEncoder, objectives
from keras_reid.methods.dgnet.objectives import ramps, swapped
from keras_reid.training import backend, seed_everything
from tests.contracts import MethodContract

SIZE = (64, 40)
SMALL = {
    "structure_width": 2,
    "style_width": 8,
    "discriminator_width": 4,
    "descriptor_width": 16,
    "warmup_iterations": 0,
    "ramp_iterations": 4,
}


class TestDGNet(MethodContract):
    name = "dgnet_tiny"
    image_size = SIZE
    overrides = SMALL
    eager = True

    def batches(self, people, seed=0, **options):
        return super().batches(people, seed=seed, partner=True, **options)

    def test_named_losses_fall(self, people):
        # Not by identity: a half of the batch with one identity in it tells the batch norm nothing.
        data = self.batches(people, sampler=pipeline.UniformSampler(8))
        # The total rises with the weights of its parts: the parts fall.
        model = self.compiled(run_eagerly=False, model={"warmup_iterations": 1000, "dropouts": (0.0, 0.0)})
        history = model.fit(data, epochs=20, verbose=0).history
        assert set(history) == set(self.model().loss_names)
        for name in ("self_reconstruction", "discriminator"):
            assert np.mean(history[name][-2:]) < 0.9 * np.mean(history[name][:2]), name
        # Four images in a batch norm, some with a rectangle erased: it jumps.
        assert np.mean(history["identity"][-10:]) < 0.95 * np.mean(history["identity"][:5])

    @pytest.mark.slow
    def test_resuming_with_the_recipes_sampler(self, people, tmp_path):
        # Sixteen images, for the contract wants two steps an epoch of its 32.
        self.sampler = pipeline.UniformSampler(16)
        self.test_resuming_equals_never_stopping(people, tmp_path, (1, 1))

    def test_wrong_images(self):
        with pytest.raises(ValueError, match=r"must have the shape \[N, 64, 40, 3\]"):
            self.model().extract(np.zeros((1, 32, 32, 3), "float32"))

    def test_an_unreadable_image_is_named_and_nothing_is_lost(self, people, tmp_path):
        pytest.skip("The contract's data bring no partner; the pipeline's error is tested with other methods.")


RNG = np.random.default_rng(0)
IMAGES = RNG.random((8, *SIZE, 3), dtype="float32")


def batch(**extra):
    arrays = {"image": IMAGES, "partner_image": IMAGES[::-1].copy(), "person_id": np.arange(8, dtype="int32") % 4}
    return {name: ops.convert_to_tensor(array) for name, array in {**arrays, **extra}.items()}


def small(**options):
    seed_everything(0)
    return zoo.load("dgnet_tiny", image_size=SIZE, **{"num_classes": 4, **SMALL, **options})


def reached(objective, model, layers):
    """Which of the named layers a scalar's gradient reaches."""
    variables = [v for layer in layers.values() for v in layer.trainable_variables]

    def loss():
        total = objective()
        return total, {"total": total}

    _, gradients = backend.current().value_and_gradients(model, variables, loss, ops.ones(()))
    found = dict(zip([id(v) for v in variables], gradients, strict=True))

    def moved(layer):
        own = [found[id(v)] for v in layer.trainable_variables]
        return any(g is not None and float(ops.convert_to_numpy(ops.max(ops.abs(g)))) > 1e-9 for g in own)

    return {name for name, layer in layers.items() if moved(layer)}


# Which networks a loss reaches: the encoder of structure, of appearance, the decoder.
REACH = {
    "authors": {
        "adversarial": {"E_s", "G"},
        "self_reconstruction": {"E_s", "G"},
        "partner_reconstruction": {"E_s", "G"},
        "generated_identity": {"E_s", "G"},
        "cycle": {"E_s", "G"},
        "structure_code": {0.0: {"E_s"}, 1.0: {"E_s", "G"}},
        "appearance_code": set(),
    },
    "paper": {
        "adversarial": {"E_s", "G", "E_a"},
        "self_reconstruction": {"E_s", "G", "E_a"},
        "partner_reconstruction": {"E_s", "G", "E_a"},
        "generated_identity": {"E_s", "G", "E_a"},
        "structure_code": {"E_s", "G", "E_a"},
        "appearance_code": {"E_s", "G", "E_a"},
    },
}


@pytest.mark.parametrize("variant", REACH)
def test_which_loss_reaches_which_network(variant):
    model = small(variant=variant)
    model.iteration.assign(100.0)
    images = model.normalization(batch()["image"])
    layers = {"E_s": model.structure_encoder, "G": model.decoder, "E_a": model.backbone}
    labels = batch()["person_id"]
    own = ops.stop_gradient(objectives.codes(model, images, True))

    def term(name, coin):
        def objective():
            code = objectives.codes(model, images, True) if variant == "paper" else own
            given = (model, images, labels, code, code, ramps(model), ops.convert_to_tensor(coin), True)
            return objectives.generator_terms(*given)[1][name]

        return reached(objective, model, layers)

    for name, expected in REACH[variant].items():
        for coin in (0.0, 1.0) if isinstance(expected, dict) else (0.0,):
            wanted = expected[coin] if isinstance(expected, dict) else expected
            assert term(name, coin) == wanted, (name, coin)


def test_ramps_follow_the_iterations():
    model = small(warmup_iterations=30_000, ramp_iterations=4_000)
    expected = {
        0: (0, 0, 0, 0),
        30_000: (0, 0, 0, 0),
        31_000: (0.5, 0.5, 0.5, 1),
        32_000: (1, 1, 1, 1),
        90_000: (2, 2, 1, 1),
    }
    for iteration, values in expected.items():
        model.iteration.assign(float(iteration))
        found = {name: float(ops.convert_to_numpy(value)) for name, value in ramps(model).items()}
        assert tuple(found[name] for name in ("discriminative", "cycle", "codes", "active")) == values
    model = small(variant="paper", warmup_iterations=30_000)
    found = {name: float(ops.convert_to_numpy(value)) for name, value in ramps(model).items()}
    assert (found["codes"], found["cycle"], found["discriminative"]) == (1.0, 0.0, 0.0)


def test_the_ablations_leave_out_what_they_say():
    model = small(discriminative_weight=0.0, dropouts=(0.0, 0.0))
    model.iteration.assign(100.0)
    weights = ramps(model)
    found = {name: float(ops.convert_to_numpy(value)) for name, value in weights.items()}
    assert found == {"discriminative": 0.0, "cycle": 2.0, "codes": 1.0, "active": 0.0}
    images = model.normalization(IMAGES[:4])
    labels, own = np.arange(4) % 2, ops.stop_gradient(objectives.codes(model, images, True))

    def both_totals():
        generator = objectives.generator_terms(model, images, labels, own, own, weights, 1.0, False)
        appearance = objectives.appearance_terms(model, images, images, labels, images, None, weights, False)
        return [{name: float(ops.convert_to_numpy(term)) for name, term in {**terms, "total": total}.items()}
                for total, terms in (generator, appearance)]  # fmt: skip

    generator, appearance = both_totals()
    assert appearance["total"] == pytest.approx(appearance["identity"] + appearance["partner_identity"], rel=1e-5)
    model.identity_weight = 0.0
    without, nothing = both_totals()
    assert generator["generated_identity"] > 0.2
    assert generator["total"] - without["total"] == pytest.approx(0.5 * generator["generated_identity"], rel=1e-3)
    assert nothing["total"] == 0.0


def test_without_identity_supervision_drawn_images_teach_what_the_teacher_thinks_alone():
    model = small(identity_weight=0.0, dropouts=(0.0, 0.0))
    model.iteration.assign(100.0)
    images, opinion, weights = model.normalization(IMAGES[:4]), ops.ones((4, 4)) / 4.0, ramps(model)
    total, terms = objectives.appearance_terms(model, images, images, [0] * 4, images, opinion, weights, False)
    assert float(total) == pytest.approx(2.0 * float(terms["primary"]), rel=1e-4)


def test_low_images_are_doubled_on_request():
    images, codes = IMAGES[:1] - 0.5, []
    for height, given in ((64, images), (0, ops.convert_to_numpy(doubled(images))), (0, images)):
        seed_everything(0)
        codes.append(ops.convert_to_numpy(AppearanceEncoder("tiny", 8, doubled_height=height)(given)["code"]))
    np.testing.assert_allclose(codes[0], codes[1], atol=1e-6)
    assert np.abs(codes[0] - codes[2]).max() > 1e-3


def test_drawn_images_reach_the_running_statistics_only_once_they_count():
    means = []
    for warmup in (1000, 0):
        model = small(warmup_iterations=warmup)
        model.iteration.assign(1.0)
        model.training_step(batch())
        assert float(ops.convert_to_numpy(model.iteration)) == 2.0
        means.append(ops.convert_to_numpy(model.backbone.stem.bn1.moving_mean))
    assert np.abs(means[0] - means[1]).max() > 1e-4


def test_a_teacher_is_copied_taught_from_and_left_alone(tmp_path):
    teacher = Baseline(backbone="tiny", image_size=SIZE, num_classes=4)
    model = small(teacher=teacher)
    model.iteration.assign(100.0)
    before = [np.array(ops.convert_to_numpy(v)) for v in model.teacher.weights]
    terms = model.training_step(batch())
    assert float(ops.convert_to_numpy(terms["primary"])) > 0.0
    for variable, value in zip(model.teacher.weights, before, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(variable), value)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(ops.convert_to_numpy(loaded.teacher.weights[0]), before[0])
    published = model.inference_model()
    assert published.teacher is None
    np.testing.assert_array_equal(published.extract(IMAGES), model.extract(IMAGES))
    with pytest.raises(ValueError, match="knows 4 identities and there are 5 to learn"):
        small(teacher=teacher, num_classes=5)
    with pytest.raises(ValueError, match=r"`teacher` must be a trained model .* Received: Baseline, num_classes None"):
        small(teacher=Baseline(backbone="tiny", image_size=SIZE))


def test_embeddings_are_those_of_the_protocol():
    model = small()
    views = [model.appearance_encoder(model.normalization(x)) for x in (IMAGES, IMAGES[:, :, ::-1])]
    expected = 0.0
    for head, weight in (("primary", 1.0), ("fine", 0.5)):
        both = sum(keras.ops.normalize(view[head][0], axis=-1) for view in views)
        unit = ops.convert_to_numpy(keras.ops.normalize(both, axis=-1))
        expected = expected + weight * unit @ unit.T
    features = model.extract(IMAGES)
    np.testing.assert_allclose(model.score(features, features), expected / 1.5, atol=1e-5)


def test_images_are_drawn():
    model = small()
    swaps = model.generate(IMAGES[:3], IMAGES[3:6], batch_size=2)
    assert swaps.shape == (3, *SIZE, 3) and swaps.min() >= 0.0 and swaps.max() <= 1.0
    np.testing.assert_allclose(
        model.generate(IMAGES[:1], IMAGES[3:6])[1], model.generate(IMAGES[:1], IMAGES[4:5])[0], atol=1e-5
    )
    for code, ends in (("appearance", (0, 1)), ("structure", (0, 1))):
        row = model.interpolate(IMAGES[:1], IMAGES[1:2], steps=3, code=code)
        assert row.shape == (1, 3, *SIZE, 3)
        last = {"appearance": (IMAGES[1:2], IMAGES[:1]), "structure": (IMAGES[:1], IMAGES[1:2])}[code]
        np.testing.assert_allclose(row[0, ends[0]], model.generate(IMAGES[:1], IMAGES[:1])[0], atol=1e-5)
        np.testing.assert_allclose(row[0, -1], model.generate(*last)[0], atol=1e-5)
    with pytest.raises(ValueError, match="draws one image per pair.* Received: 2 of appearance, 3 of structure"):
        model.generate(IMAGES[:2], IMAGES[:3])
    with pytest.raises(ValueError, match="Unknown code 'colour'"):
        model.interpolate(IMAGES[:1], IMAGES[:1], code="colour")
    with pytest.raises(ValueError, match="at least two steps. Received: 1 and 1 images, 1 steps"):
        model.interpolate(IMAGES[:1], IMAGES[:1], steps=1)


def test_halves_change_places():
    assert ops.convert_to_numpy(swapped(ops.arange(6))).tolist() == [3, 4, 5, 0, 1, 2]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"variant": "author"}, "Unknown DG-Net variant 'author'. Did you mean 'authors'"),
        ({"image_size": (64, 32)}, r"multiples of 4 and at least 40 pixels. Received: \(64, 32\)"),
        ({"fine_weight": -1.0}, "`fine_weight` must not be negative. Received: -1.0"),
        ({"identity_weight": -0.5}, "`identity_weight` must not be negative. Received: -0.5"),
        ({"structure_width": 0}, "`structure_width` must be an integer of at least 1"),
    ],
)
def test_bad_arguments(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        DGNet(**{"backbone": "tiny", "image_size": SIZE, **arguments})


def test_bad_batches():
    model = small()
    with pytest.raises(ValueError, match="even number of at least 4 images per batch.* Received: 5"):
        model.check_labels(np.zeros(5))
    only = batch()
    del only["partner_image"]
    with pytest.raises(ValueError, match=r"`partner_image`. Make the data with .*partner=True"):
        model.training_step(only)
    model.compile("sgd")
    with pytest.raises(ValueError, match="DGNet trains the groups 'discriminator' apart"):
        model.training_step(batch())


def test_the_recipe_brings_partners(people):
    model = small()
    data = zoo.recipe("dgnet_tiny").training_data(model, people.train, sampler={"batch_size": 8})
    assert "partner_image" in data.element_spec
    assert isinstance(data.sampler, pipeline.UniformSampler)

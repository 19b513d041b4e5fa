import keras
import numpy as np
import pytest

from keras_reid import pipeline, zoo
from keras_reid.datasets import ReIDTable
from keras_reid.evaluation import extract
from keras_reid.methods import CMEMD
from tests.contracts import MethodContract
from tests.methods.two_modalities import two_modal_people

IMAGES = np.random.default_rng(0).random((8, 64, 32, 3)).astype("float32")
LABELS = np.array([0, 0, 1, 1, 0, 0, 1, 1], "int32")
MODALITY = np.repeat([0, 1], 4)


@pytest.fixture(scope="session")
def people(tmp_path_factory):
    """Eight people, each of one pattern, four visible and four thermal images."""
    return two_modal_people(tmp_path_factory.mktemp("two_modal_people"))


class TestCMEMD(MethodContract):
    name = "cmemd_tiny"
    overrides = {"stripes": 4, "part_channels": 16}
    sampler = pipeline.CrossModalityPKSampler(2, 4)
    epochs = 30


def tiny(**options):
    keras.utils.set_random_seed(0)
    options = {"stripes": 4, "part_channels": 8, "image_size": (64, 32), "images_per_identity": 2, **options}
    return CMEMD(backbone="tiny", **options)


def terms_of(model):
    """The named scalars of a step that changes nothing."""
    model.compile("sgd", run_eagerly=True)
    return {
        name: float(value)
        for name, value in model.test_on_batch(
            {"image": IMAGES, "person_id": LABELS, "modality": MODALITY}, return_dict=True
        ).items()
    }


def numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


def test_embeddings_are_both_features_side_by_side():
    model = tiny()
    features = model.extract(IMAGES, modality=MODALITY)
    assert features.shape == (8, 256 + 4 * 8)
    for part in (features[:, :256], features[:, 256:]):
        np.testing.assert_allclose(np.linalg.norm(part, axis=1), 0.5**0.5, rtol=1e-4)
    assert tiny(multi_granularity=False).extract(IMAGES).shape == (8, 256)


def test_one_modality_at_a_time_equals_both_at_once(people):
    model = tiny()
    for variable in model.backbone.thermal.trainable_variables:  # both begin alike
        variable.assign(variable * 0.5)
    joint = model.extract(IMAGES, modality=MODALITY)
    np.testing.assert_allclose(model.extract(IMAGES[:4]), joint[:4], atol=1e-5)
    np.testing.assert_allclose(model.extract(IMAGES[4:], modality=1), joint[4:], atol=1e-5)
    assert np.abs(model.extract(IMAGES[4:], modality=0) - joint[4:]).max() > 1e-2
    order = np.random.default_rng(0).permutation(len(people.train))
    mixed = people.train.take(order)
    sorted_features = extract(model, people.train, progress=False)
    np.testing.assert_allclose(extract(model, mixed, progress=False), sorted_features[order], atol=1e-5)


def test_losses_are_the_sums_of_the_page():
    model = tiny(num_classes=3, discrimination_weight=2.0, transport_weight=0.5, plan="uniform")
    terms = terms_of(model)
    assert set(terms) == {"loss", "identity", "accuracy", "transport", "discrimination"}
    total = terms["identity"] + 0.5 * terms["transport"] + 2.0 * terms["discrimination"]
    assert terms["loss"] == pytest.approx(total, rel=1e-5)
    # Untrained classifiers know nothing: log 3 for g, for 4 stripes and for 3 running means.
    assert terms["identity"] == pytest.approx(8 * np.log(3), rel=0.05)

    pooled, parts = (numpy(values) for values in model.features(IMAGES))
    fine = [parts[:, k] for k in range(4)] + [parts[:, :k].mean(axis=1) for k in (2, 3, 4)]

    def transport(features):
        unit = features / np.linalg.norm(features, axis=-1, keepdims=True)
        return np.mean(
            [((v - t) ** 2).sum() for y in (0, 1) for v in unit[:4][LABELS[:4] == y] for t in unit[4:][LABELS[4:] == y]]
        )

    expected = transport(pooled) + np.mean([transport(features) for features in fine])
    assert terms["transport"] == pytest.approx(expected, rel=1e-4)


def test_rows_of_the_ablation():
    rows = {
        "identity": {"transport_weight": 0.0, "discrimination_weight": 0.0, "multi_granularity": False},
        "uniform": {"plan": "uniform", "discrimination_weight": 0.0, "multi_granularity": False},
        "transport": {"discrimination_weight": 0.0, "multi_granularity": False},
        "discrimination": {"multi_granularity": False},
        "whole": {},
    }
    terms = {row: terms_of(tiny(num_classes=3, **options)) for row, options in rows.items()}
    assert set(terms["identity"]) == {"loss", "identity", "accuracy"}
    assert terms["identity"]["loss"] == terms["identity"]["identity"]
    assert set(terms["transport"]) == {"loss", "identity", "accuracy", "transport"}
    assert terms["transport"]["transport"] < terms["uniform"]["transport"]
    assert terms["discrimination"]["discrimination"] > 0.0
    assert terms["whole"]["identity"] > 4 * terms["discrimination"]["identity"]


def test_weights_of_the_stripes_are_trained_by_the_ratio_alone():
    batch = {"image": IMAGES, "person_id": LABELS, "modality": MODALITY}
    for weight in (0.0, 1.0):
        model = tiny(num_classes=3, discrimination_weight=weight)
        model.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
        model.train_on_batch(batch)
        assert (np.abs(numpy(model.holistic.logits)).max() > 0.0) == (weight > 0.0)


def test_batches_that_are_no_two_halves_of_the_same(people):
    model = zoo.load("cmemd_tiny", image_size=(64, 32), stripes=4)
    one_modality = pipeline.training(people.train, image_size=(64, 32), sampler=pipeline.PKSampler(2, 8))
    with pytest.raises(ValueError, match=r"a visible half and a thermal half, 4 neighbouring images .* images=4\)"):
        model.fit(one_modality, verbose=0)
    other_count = pipeline.training(people.train, image_size=(64, 32), sampler=pipeline.CrossModalityPKSampler(2, 3))
    with pytest.raises(ValueError, match="CrossModalityPKSampler"):
        zoo.load("cmemd_tiny", image_size=(64, 32), stripes=4).fit(other_count, verbose=0)


def test_modality_of_arrays():
    model = tiny()
    for wrong in (2, [0, 1], "thermal"):
        with pytest.raises(
            ValueError, match=r"`modality` must be 0 \(visible\) or 1 \(thermal\), for all images or one"
        ):
            model.extract(IMAGES, modality=wrong)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"plan": "emd"}, r"Unknown transport plan 'emd'\. .*Known: exact, sinkhorn, uniform"),
        ({"transport_weight": -1.0}, r"must not be negative. Received: -1.0, 1.0"),
        ({"label_smoothing": 1.0}, r"`label_smoothing` must be in \[0, 1\)"),
        ({"stripes": 3}, r"`stripes` must divide the map's height, 4 for images of \(64, 32\). Received: 3"),
        ({"stripes": 0}, "`stripes` must be an integer of at least 1"),
        ({"images_per_identity": 0}, "`images_per_identity` must be an integer of at least 1"),
    ],
)
def test_bad_arguments(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        tiny(**arguments)


def test_a_table_of_one_modality_is_refused(tmp_path):
    table = ReIDTable.from_columns([f"/{n}.png" for n in range(8)], [0] * 4 + [1] * 4)
    with pytest.raises(ValueError, match="table of 2 identities, of which 0 have both"):
        pipeline.training(table, sampler=pipeline.CrossModalityPKSampler(2, 2))

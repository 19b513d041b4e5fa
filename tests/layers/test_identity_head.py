import keras
import numpy as np

from keras_reid.layers import IdentityCentres, IdentityClassifier


def test_classifier_is_a_product_in_float32():
    classifier = IdentityClassifier(initial_deviation=1.0)
    classifier.size(features=4, num_classes=3)
    features = np.random.default_rng(0).random((2, 4), dtype="float32")
    logits = keras.ops.convert_to_numpy(classifier(features))
    np.testing.assert_allclose(logits, features @ keras.ops.convert_to_numpy(classifier.kernel), rtol=1e-5)
    assert [variable.path for variable in classifier.variables] == [f"{classifier.name}/kernel"]


def test_half_precision_ends_in_float32():
    classifier = IdentityClassifier(dtype="mixed_float16")
    classifier.size(features=4, num_classes=3)
    logits = classifier(np.ones((2, 4), "float32"))
    assert keras.backend.standardize_dtype(logits.dtype) == "float32"
    assert classifier.kernel.dtype == "float32"


def test_centres_are_state_and_not_trained():
    centres = IdentityCentres()
    centres.size(features=4, num_classes=3)
    assert centres.trainable_variables == []
    assert tuple(centres.centres.shape) == (3, 4)
    assert centres.centres.dtype == "float32"


def test_config():
    classifier = IdentityClassifier(initial_deviation=0.5, name="head")
    assert IdentityClassifier.from_config(classifier.get_config()).get_config() == classifier.get_config()

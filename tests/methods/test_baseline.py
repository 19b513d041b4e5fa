import numpy as np
import pytest

from keras_reid import pipeline, zoo
from keras_reid.methods import Baseline
from tests.contracts import MethodContract


class TestBaseline(MethodContract):
    name = "baseline_tiny"
    thorough = True


class TestBaselineWithEveryOption(MethodContract):
    name = "baseline_tiny"
    overrides = {"pooling": "gem", "centre_weight": 0.0005, "ibn": "a", "margin": None}


def test_embeddings_have_unit_norm():
    features = Baseline(backbone="tiny", image_size=(64, 32)).extract(np.random.rand(3, 64, 32, 3).astype("float32"))
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1.0, rtol=1e-5)


def test_a_batch_without_positives(people):
    model = zoo.load("baseline_tiny", image_size=(64, 32))
    alone = pipeline.training(people.train, image_size=(64, 32), sampler=pipeline.PKSampler(4, 1))
    with pytest.raises(ValueError, match=r"batch without positives: each of its 4 images .* PKSampler\(16, 4\)"):
        model.fit(alone, verbose=0)


def test_last_stride_doubles_the_map():
    fine, coarse = (Baseline(backbone="tiny", image_size=(64, 32), last_stride=stride) for stride in (1, 2))
    images = np.zeros((1, 64, 32, 3), "float32")
    assert tuple(fine.backbone(images).shape) == (1, 4, 2, 256)
    assert tuple(coarse.backbone(images).shape) == (1, 2, 1, 256)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"pooling": "avg"}, r"Unknown pooling 'avg'\. .*Known: average, gem"),
        ({"label_smoothing": 1.0}, r"`label_smoothing` must be in \[0, 1\)"),
        ({"margin": -0.1}, "must not be negative"),
        ({"image_size": (16, 16)}, "at least 32 pixels"),
        ({"backbone": "resnet5"}, "Did you mean 'resnet50'"),
    ],
)
def test_bad_arguments(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        Baseline(**arguments)


def test_full_size_network_has_the_published_number_of_parameters():
    model = Baseline(backbone="resnet50", num_classes=751)
    # torchvision's ResNet-50 without its classifier, 2048 scales of the neck, 2048 x 751 weights.
    assert sum(int(np.prod(v.shape)) for v in model.trainable_variables) == 23_508_032 + 2048 + 2048 * 751

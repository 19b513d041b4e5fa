import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from keras_reid.pipeline.transforms import (
    TRANSFORMS,
    ColorJitter,
    Flip,
    PadCrop,
    RandomErasing,
    RandomOcclusion,
    Rotation,
    apply,
    erasing,
)
from keras_reid.pipeline.transforms._draw import generator
from tests.pipeline.images import picture

IMAGE = picture(0, 64, 32)
IMAGE.flags.writeable = False
PARITY = Path(__file__).parents[1] / "parity"


def seeds(count):
    return np.random.SeedSequence(5).generate_state(2 * count, np.uint64).reshape(-1, 2)


def run_alone(transform, image, seed):
    return transform(image, seed)


def run_in_tf_data(transform, image, seed):
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensors((image, seed)).map(
        lambda *pair: tf.numpy_function(transform, pair, tf.uint8), num_parallel_calls=2
    )
    return next(iter(dataset)).numpy()


@pytest.fixture(params=[run_alone, run_in_tf_data])
def run(request):
    return request.param


@pytest.mark.parametrize("name", TRANSFORMS)
def test_each_is_a_pure_function_of_image_and_seed(run, name):
    transform, before = TRANSFORMS[name](), IMAGE.copy()
    results = [run(transform, IMAGE, seed) for seed in seeds(12)]
    for seed, result in zip(seeds(12), results, strict=True):
        assert result.shape == IMAGE.shape
        assert result.dtype == np.uint8
        np.testing.assert_array_equal(run(transform, IMAGE, seed), result)
    np.testing.assert_array_equal(IMAGE, before)
    assert len({result.tobytes() for result in results}) > 1


@pytest.mark.parametrize("name", TRANSFORMS)
def test_registered_transforms_are_frozen_and_take_lists_from_toml(name):
    transform = TRANSFORMS[name]()
    values = dataclasses.asdict(transform)
    lists = {key: list(v) if isinstance(v, tuple) else v for key, v in values.items()}
    assert TRANSFORMS[name](**lists) == transform
    hash(TRANSFORMS[name](**lists))
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(transform, next(iter(values)), 0)


def test_generator_is_philox_of_the_key():
    seed = seeds(1)[0]
    expected = np.random.Generator(np.random.Philox(key=seed)).random(5)
    np.testing.assert_array_equal(generator(seed).random(5), expected)


def test_flip_mirrors_as_often_as_said(run):
    np.testing.assert_array_equal(run(Flip(1.0), IMAGE, seeds(1)[0]), IMAGE[:, ::-1])
    np.testing.assert_array_equal(run(Flip(0.0), IMAGE, seeds(1)[0]), IMAGE)
    share = np.mean([(Flip(0.3)(IMAGE, seed) != IMAGE).any() for seed in seeds(1000)])
    assert abs(share - 0.3) < 0.05


def test_pad_crop_is_a_crop_of_the_padded_image(run):
    padded = np.pad(IMAGE, ((3, 3), (3, 3), (0, 0)))
    crops = {padded[y : y + 64, x : x + 32].tobytes() for y in range(7) for x in range(7)}
    assert {run(PadCrop(3), IMAGE, seed).tobytes() for seed in seeds(20)} <= crops
    assert {PadCrop(3)(IMAGE, seed).tobytes() for seed in seeds(1000)} == crops


def test_pad_crop_may_repeat_the_edge():
    padded = np.pad(IMAGE, ((3, 3), (3, 3), (0, 0)), mode="edge")
    crops = {padded[y : y + 64, x : x + 32].tobytes() for y in range(7) for x in range(7)}
    assert {PadCrop(3, fill="edge")(IMAGE, seed).tobytes() for seed in seeds(1000)} == crops
    assert (PadCrop(4, fill="edge")(np.full((2, 2, 3), 9, np.uint8), seeds(1)[0]) == 9).all()


def test_pad_crop_may_lose_a_tiny_image():
    tiny = np.full((2, 2, 3), 9, np.uint8)
    results = [PadCrop(4)(tiny, seed) for seed in seeds(50)]
    assert any((result == 0).all() for result in results)
    assert any((result == 9).any() for result in results)


def test_rotation_turns_about_the_centre(run):
    image = np.zeros((65, 33, 3), np.uint8)
    image[:, 16] = 200
    result = run(Rotation(5.0), image, seeds(1)[0])
    assert (result[32, 16] == 200).all()
    angles = set()
    for seed in seeds(300):
        rows, columns = np.nonzero(Rotation(5.0)(image, seed)[..., 0])
        angles.add(np.degrees(np.arctan(np.polyfit(rows, columns, 1)[0])))
    assert -5.6 < min(angles) < -4
    assert 4 < max(angles) < 5.6


def erased_boxes(transform, count, shape=(256, 128, 3), fill=255):
    """Boxes (left, top, width, height) of what is filled; None where nothing is."""
    for seed in seeds(count):
        mask = (transform(np.zeros(shape, np.uint8), seed) == fill).all(-1)
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        if not len(rows):
            yield None
            continue
        height, width = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
        assert mask.sum() == height * width  # one full rectangle
        yield columns[0], rows[0], width, height


def test_random_erasing_keeps_area_aspect_and_probability():
    transform = RandomErasing(fill=(255, 255, 255))
    boxes = list(erased_boxes(transform, 2000))
    done = np.array([box for box in boxes if box is not None])
    assert abs(len(done) / 2000 - 0.5) < 0.04  # not the 0.25 of a p that is drawn itself
    area, aspect = done[:, 2] * done[:, 3] / (256 * 128), done[:, 3] / done[:, 2]
    assert 0.018 < area.min() < 0.03
    assert 0.37 < area.max() < 0.41
    assert 0.27 < aspect.min() < 0.45
    assert 3.0 < aspect.max() < 3.5
    assert done[:, 0].min() == done[:, 1].min() == 0
    assert (done[:, 0] + done[:, 2]).max() == 128
    assert (done[:, 1] + done[:, 3]).max() == 256
    # Small rectangles always fit, so their aspect is uniform in its range.
    small = aspect[area < 0.1]
    assert abs(small.mean() - (0.3 + 3.33) / 2) < 0.15


def test_random_erasing_fills_with_the_channel_means(run):
    result = run(RandomErasing(1.0), np.zeros((64, 32, 3), np.uint8), seeds(1)[0])
    assert {tuple(color) for color in result.reshape(-1, 3).tolist()} == {
        (0, 0, 0),
        (124, 116, 104),
    }


def test_random_erasing_that_cannot_fit_leaves_the_image():
    never = RandomErasing(1.0, area=(0.9, 1.0), aspect=(50.0, 60.0))
    assert never(IMAGE, seeds(1)[0]) is IMAGE


def test_random_occlusion_equals_the_authors_boxes(monkeypatch):
    """The authors draw from numpy's legacy stream; fed with it, ours hides the same squares."""
    boxes = np.load(PARITY / "occlusion.npz", allow_pickle=False)["boxes"]
    stream = np.random.RandomState(0)

    class Legacy:
        integers = staticmethod(stream.randint)

    monkeypatch.setattr(erasing, "generator", lambda seed: Legacy)
    ours = list(erased_boxes(RandomOcclusion(), len(boxes), shape=(384, 128, 3)))
    np.testing.assert_array_equal(ours, boxes)


def test_random_occlusion_is_a_white_square_in_every_image(run):
    result = run(RandomOcclusion(), np.zeros((64, 32, 3), np.uint8), seeds(1)[0])
    assert set(np.unique(result)) == {0, 255}
    boxes = np.array(list(erased_boxes(RandomOcclusion(0.25, 0.5), 500, shape=(64, 32, 3))))
    assert (boxes[:, 2] == boxes[:, 3]).all()
    assert set(boxes[:, 2]) == set(range(8, 16))


def test_random_occlusion_names_an_image_too_small_for_it():
    with pytest.raises(ValueError, match=r"no square for an image of 1 x 1. Use a larger"):
        RandomOcclusion()(np.zeros((1, 1, 3), np.uint8), seeds(1)[0])


KEEP = {"brightness": (1, 1), "contrast": (1, 1), "saturation": (1, 1), "hue": (0, 0)}


def test_color_jitter_that_changes_nothing_changes_nothing(run):
    result = run(ColorJitter(**KEEP), IMAGE, seeds(1)[0])
    assert np.abs(result.astype(int) - IMAGE).max() <= 6  # RGB -> HSV -> RGB in 8 bits


@pytest.mark.parametrize(
    ("name", "enhance"),
    [
        ("brightness", ImageEnhance.Brightness),
        ("contrast", ImageEnhance.Contrast),
        ("saturation", ImageEnhance.Color),
    ],
)
def test_color_jitter_changes_one_property(run, name, enhance):
    soft = (IMAGE // 4 + 90).astype(np.uint8)
    result = run(ColorJitter(**KEEP | {name: (1.3, 1.3)}), soft, seeds(1)[0])
    expected = np.asarray(enhance(Image.fromarray(soft)).enhance(1.3), int)
    assert np.abs(result - expected).max() <= 6
    assert np.abs(expected - soft).max() > 6


def test_color_jitter_turns_the_hue(run):
    red = np.zeros((8, 4, 3), np.uint8)
    red[..., 0] = 200
    green = run(ColorJitter(**KEEP | {"hue": (1 / 3, 1 / 3)}), red, seeds(1)[0])
    assert green[0, 0].argmax() == 1
    assert green[0, 0, 0] < 10
    blue = run(ColorJitter(**KEEP | {"hue": (-1 / 3, -1 / 3)}), red, seeds(1)[0])
    assert blue[0, 0].argmax() == 2


def test_color_jitter_draws_the_order():
    soft = (IMAGE // 2 + 40).astype(np.uint8)
    fixed = ColorJitter((1.5, 1.5), (1.5, 1.5), (1.5, 1.5), (0.1, 0.1))
    assert len({fixed(soft, seed).tobytes() for seed in seeds(100)}) > 6


def test_apply_gives_each_transform_its_own_seed():
    received = []

    def spy(image, seed):
        received.append(seed.tolist())
        return image

    apply((spy, spy, spy), IMAGE, np.uint64([7, 2**64 - 1]))
    assert received == [[7, 2**64 - 1], [7, 0], [7, 1]]


@pytest.mark.parametrize("bad", [lambda image, seed: image[1:], lambda image, seed: image.astype(np.float32)])
def test_apply_names_a_transform_that_breaks_the_contract(bad):
    with pytest.raises(ValueError, match=r"must return uint8 \(64, 32, 3\). Received"):
        apply((bad,), IMAGE, np.uint64([0, 0]))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Flip(1.5), "`probability` must be a probability from 0 to 1. Received: 1.5"),
        (lambda: RandomErasing(-0.1), "`probability` must be a probability"),
        (lambda: RandomErasing(area=(0.4, 0.02)), r"`area` must be two numbers \(low, high\)"),
        (lambda: RandomErasing(aspect=(0.3,)), "`aspect` must be two numbers"),
        (lambda: RandomErasing(fill=(0.4, 0.4, 0.4)), "`fill` must be three integers"),
        (lambda: RandomOcclusion(0.5, 0.5), "0 <= smallest < largest <= 1"),
        (lambda: ColorJitter(hue=(-0.6, 0)), "`hue` must be two numbers"),
        (lambda: ColorJitter(brightness=(-1, 1)), "`brightness` must be two numbers"),
        (lambda: Rotation(0), r"`degrees` must lie in \(0, 180\]. Received: 0"),
        (lambda: PadCrop(0), "`padding` must be an integer of at least 1"),
        (lambda: PadCrop(fill="white"), "Unknown fill 'white'"),
    ],
)
def test_impossible_arguments_are_named(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()

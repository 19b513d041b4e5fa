"""Features of whatever a stranger has at hand, equal to those of `evaluate`."""

import csv
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from keras_reid import evaluation, zoo
from keras_reid.datasets import ReIDTable
from keras_reid.feature_extractor import Extraction, FeatureExtractor
from tests.evaluation.fakes import BrightnessModel, MapModel
from tests.pages import run_blocks

SIZES = [(90, 41), (128, 64), (33, 140), (256, 128), (50, 50), (201, 77)]


def picture(seed, size, channels=3):
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (6, 4, channels), "uint8"))
    return np.asarray(small.resize(size[::-1], Image.Resampling.BICUBIC))


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return zoo.load("baseline_tiny")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Six images of odd sizes: colour, grey, palette, with alpha, JPEG, in a sub-folder; and what is no image."""
    root = tmp_path_factory.mktemp("crops")
    (root / "day 2").mkdir()
    for number, size in enumerate(SIZES):
        image = Image.fromarray(picture(number, size, 4 if number == 2 else 3))
        image = image.convert({1: "L", 3: "P"}.get(number, image.mode))
        suffix = ".JPG" if number == 4 else ".png"
        image.save(root / ("day 2" if number > 3 else "") / f"{number}{suffix}")
    (root / "notes.txt").write_text("no image")
    (root / "._0.png").write_text("what macOS leaves in archives")
    return root


@pytest.fixture(scope="module")
def paths(folder):
    return [*(folder / f"{number}.png" for number in range(4)), folder / "day 2" / "4.JPG", folder / "day 2" / "5.png"]


@pytest.fixture(scope="module")
def features(model, paths):
    """What `evaluate` compares."""
    return evaluation.extract(model, ReIDTable.from_columns(paths, range(6)), progress=False)


def extractor(model=None, **options):
    return FeatureExtractor(model or BrightnessModel(), **{"progress": False, **options})


def test_features_are_those_that_evaluate_compares(model, folder, paths, features):
    extract = extractor(model)
    opened = [Image.open(path) for path in paths]
    arrays = [np.asarray(image.convert("RGB")) for image in map(Image.open, paths)]
    mixed = [str(paths[0]), opened[1], arrays[2], folder / "3.png", arrays[4] / np.float32(255), folder / "day 2/5.png"]
    for images in (paths, folder, opened, arrays, mixed, np.array(paths, object), np.array(paths, str), iter(paths)):
        np.testing.assert_array_equal(extract(images), features)
    assert features.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(extractor(model, batch_size=2)(folder), features, atol=1e-6)
    np.testing.assert_allclose(extract(folder / "day 2"), features[4:], atol=1e-6)
    np.testing.assert_allclose(extract(arrays[5]), features[5:], atol=1e-6)
    np.testing.assert_allclose(extract.score(paths[:2], folder), features[:2] @ features.T, atol=1e-6)


def loaded(array):
    """What the model sees of an array: the mean of each channel's pixels."""

    class Seen(BrightnessModel):
        def extract(self, images, *, verbose=0):
            return np.concatenate([np.mean(batch["image"], axis=(1, 2)) for batch in images])

    return extractor(Seen())(array)


def test_arrays_of_every_kind():
    colour = picture(0, (32, 16))
    expected = colour.mean((0, 1)) / 255
    for array in (
        colour,
        colour / 255,
        colour[..., ::-1][..., ::-1],
        np.dstack([colour, colour[..., 0]]),
        colour[None],
    ):
        np.testing.assert_allclose(loaded(array)[0], expected, atol=1e-6)
    grey = colour[..., 1]
    for array in (grey, grey[..., None], grey / 255, np.dstack([grey] * 3)):
        np.testing.assert_allclose(loaded(array)[0], [expected[1]] * 3, atol=1e-6)
    assert loaded(np.zeros((5, 20, 30, 3), "uint8")).shape == (5, 3)
    assert (loaded(np.full((8, 4, 3), 0.999)) == 1).all(), "Floats are rounded to bytes, not cut off."


def test_an_exif_orientation_is_not_followed_as_in_the_pipeline(tmp_path):
    image = Image.fromarray(picture(1, (60, 30)))
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "turned.png", exif=exif)
    image.save(tmp_path / "plain.png")
    turned, opened, plain = (
        extractor().extract(one).features
        for one in (tmp_path / "turned.png", Image.open(tmp_path / "turned.png"), tmp_path / "plain.png")
    )
    np.testing.assert_array_equal(turned, plain)
    np.testing.assert_array_equal(opened, plain)


def test_what_cannot_be_read_is_named_or_skipped(tmp_path):
    for name in ("a.png", "c.png"):
        Image.new("L", (9, 9), 100).save(tmp_path / name)
    (tmp_path / "b.jpg").write_text("text that is called an image")
    with pytest.raises(ValueError, match=r"^Cannot read image '.*b.jpg'"):
        extractor()(tmp_path)
    with pytest.warns(UserWarning, match=r"1 of 4 images cannot be read, the first is '.*b.jpg'.*`extract\(images\)"):
        found = extractor(on_bad_image="skip").extract([np.zeros((3, 3)), tmp_path])
    assert found.kept.tolist() == [0, 1, 3]
    assert [Path(name).name for name in found.names] == ["image 0", "a.png", "c.png"]
    np.testing.assert_allclose(np.arctan2(*found.features.T[::-1]) * 255, [0, 100, 100], atol=1e-4)
    with pytest.raises(ValueError, match=r"None of the 1 images can be read, the first is '.*b.jpg'"):
        extractor(on_bad_image="skip")(tmp_path / "b.jpg")


def test_an_opened_image_that_is_cut_short_is_named_by_its_place(tmp_path):
    Image.fromarray(picture(0, (90, 60))).save(tmp_path / "whole.png")
    half = (tmp_path / "whole.png").read_bytes()[:900]
    (tmp_path / "half.png").write_bytes(half)
    with Image.open(tmp_path / "half.png") as image, pytest.raises(ValueError, match=r"^Cannot read image 1: "):
        extractor()([np.zeros((3, 3)), image])
    with Image.open(tmp_path / "half.png") as image, pytest.warns(UserWarning, match=r"the first is 'image 1'"):
        assert extractor(on_bad_image="skip").extract([np.zeros((3, 3)), image]).kept.tolist() == [0]


@pytest.mark.parametrize(
    ("images", "error", "sentence"),
    [
        ([], ValueError, r"There is no image. Expected a path, .* Received: an empty list"),
        ("no/such.jpg", ValueError, r"There is no file or folder 'no/such.jpg'\. Give a path"),
        (["no/1.jpg", "no/2.jpg"], ValueError, r"There is no file or folder 'no/1.jpg' and 1 more"),
        (7, TypeError, r"Expected a path, .* Received: a int"),
        ([[1, 2]], TypeError, r"Received: a list as image 0"),
        (np.zeros((3, 32, 16)), ValueError, r"image 0 of shape \(3, 32, 16\). Bring the channels to the end"),
        (np.zeros((0, 8, 3)), ValueError, r"at least one pixel. Received: image 0"),
        (np.full((8, 4, 3), 200.0), ValueError, r"floats in \[0, 1\]. Received: image 0 of float64, 200 to 200"),
        (np.full((8, 4, 3), -1.0), ValueError, r"the model normalises by itself"),
        (np.full((8, 4, 3), np.nan), ValueError, r"nan to nan"),
        (np.ones((8, 4, 3), int), ValueError, r"image 0 of int64, 1 to 1"),
    ],
)
def test_what_is_no_image_is_said_before_the_model_runs(images, error, sentence):
    extract = extractor()
    with pytest.raises(error, match=sentence):
        extract(images)
    assert extract.model.extracted == []


def test_an_empty_folder_is_said(tmp_path):
    with pytest.raises(ValueError, match=r"No image \(.jpg, .*\) in .*Found there: nothing"):
        extractor()(tmp_path)


def test_methods_that_compare_pairs_give_what_they_compare():
    greys = [np.full((8, 4), level, "uint8") for level in (10, 200)]
    extract = extractor(MapModel())
    assert extract(greys).shape == (2, 1, 1, 2)
    assert extract.score(greys, greys[1]).argmax() == 1


def test_the_modality_reaches_the_model():
    class Modality(BrightnessModel):
        def extract(self, images, *, verbose=0):
            return np.concatenate([np.asarray(batch["modality"], "float32")[:, None] for batch in images])

    image = np.zeros((8, 4))
    assert extractor(Modality())([image, image], modality=1).tolist() == [[1], [1]]
    assert extractor(Modality())(image).tolist() == [[0]]
    with pytest.raises(ValueError, match=r"modality"):
        extractor(Modality())(image, modality=2)


def test_queries_and_gallery_may_be_of_two_modalities():
    class Modality(BrightnessModel):
        def extract(self, images, *, verbose=0):
            return np.concatenate([np.asarray(batch["modality"], "float32")[:, None] for batch in images])

        def score(self, query, gallery):
            return query + 10 * gallery.T

    image, extract = np.zeros((8, 4)), extractor(Modality())
    assert extract.score([image, image], image).tolist() == [[0], [0]]
    assert extract.score(image, image, query_modality=1).tolist() == [[1]]
    assert extract.score(image, image, gallery_modality=1).tolist() == [[10]]


def test_a_model_may_be_a_file_a_run_or_a_zoo_entry_with_weights(model, folder, features, tmp_path):
    file = tmp_path / "run" / "model.keras"
    file.parent.mkdir()
    model.save(file)
    one = folder / "0.png"
    for extract in (extractor(str(file)), extractor(file.parent), extractor("baseline_tiny", weights=file)):
        np.testing.assert_allclose(extract(one), features[:1], atol=1e-6)
    saved = zoo.save(model, tmp_path / "saved", "baseline_tiny")
    np.testing.assert_allclose(extractor(saved)(one), features[:1], atol=1e-6)
    with pytest.raises(ValueError, match=r"`weights` are for the name of a zoo entry"):
        extractor(file, weights="imagenet")
    with pytest.raises(ValueError, match=r"`weights` are for the name of a zoo entry"):
        extractor(model, weights="imagenet")


@pytest.mark.parametrize(
    ("given", "error", "sentence"),
    [
        ("baseline_tiny", ValueError, r"No weights are published for 'baseline_tiny'"),
        ("baseline_tny", ValueError, r"Unknown model 'baseline_tny'. Did you mean 'baseline_tiny'.*no file or folder"),
        ("none.keras", ValueError, r"There is no model none.keras"),
        (keras.Sequential(), TypeError, r"Received: a Sequential, which has no extract, score, image_size"),
    ],
)
def test_what_is_no_model(given, error, sentence):
    with pytest.raises(error, match=sentence):
        FeatureExtractor(given)


def test_bad_options():
    with pytest.raises(ValueError, match=r"`batch_size` must be an integer of at least 1"):
        extractor(batch_size=0)
    with pytest.raises(ValueError, match=r"Unknown value of `on_bad_image` 'skp'. Did you mean 'skip'"):
        extractor(on_bad_image="skp")


def test_an_extraction_is_written_and_read_back(tmp_path):
    values = np.random.default_rng(0).normal(size=(2, 5)).astype("float32")
    found = Extraction(values, ("a, b.jpg", "image 3"), np.array([0, 3]))
    with np.load(found.save(tmp_path / "new" / "f.npz"), allow_pickle=False) as read:
        np.testing.assert_array_equal(read["features"], values)
        assert read["names"].tolist() == ["a, b.jpg", "image 3"]
        assert read["kept"].tolist() == [0, 3]
    with found.save(tmp_path / "f.csv").open(encoding="utf-8") as stream:
        header, *lines = csv.reader(stream)
    assert header == ["name", *(f"feature_{column}" for column in range(5))]
    assert [line[0] for line in lines] == ["a, b.jpg", "image 3"]
    np.testing.assert_array_equal(np.array([line[1:] for line in lines], "float32"), values)


def test_what_cannot_be_written_leaves_nothing(tmp_path):
    maps = Extraction(np.zeros((1, 2, 2, 3), "float32"), ("a.jpg",), np.array([0]))
    with pytest.raises(ValueError, match=r"A CSV file holds embeddings \[N, D\]. Received: features \(1, 2, 2, 3\)"):
        maps.save(tmp_path / "f.csv")
    with pytest.raises(ValueError, match=r"written to a .npz or .csv file. Received: '.*f.txt'"):
        maps.save(tmp_path / "f.txt")
    with pytest.raises(OSError):
        (tmp_path / "taken.npz").mkdir()
        maps.save(tmp_path / "taken.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["taken.npz"]


def test_code_of_the_page_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_blocks(Path(__file__).parents[1] / "docs" / "concepts" / "extracting.md")

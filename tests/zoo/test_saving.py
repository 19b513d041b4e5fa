"""A folder that somebody else can use, and what is found when it was changed."""

import shutil

import numpy as np
import pytest

from keras_reid import zoo
from keras_reid.methods import ReIDModel
from keras_reid.zoo.files import sha256
from tests.zoo.conftest import SIZE

RESULT = {"train": "mine", "test": "mine", "rank1": 90.0, "mean_ap": 80.0, "source": "measured by me"}


@pytest.fixture(scope="module")
def model():
    return zoo.load("baseline_tiny", num_classes=3, image_size=SIZE, margin=0.5)


@pytest.fixture(scope="module")
def place(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("zoo") / "deep" / "mine"
    return zoo.save(model, folder, "baseline_tiny", title="Mine", our_results=[RESULT])


def test_a_folder_comes_back(model, place, images):
    assert [file.name for file in place.parent.iterdir()] == ["mine"]  # and nothing half-written beside it
    loaded = zoo.load(place)
    assert loaded.num_classes is None and loaded.optimizer is not None
    np.testing.assert_array_equal(loaded.extract(images), model.extract(images))
    assert zoo.load(str(place), num_classes=4).num_classes == 4


def test_its_card(place):
    card = zoo.card(place)
    assert (card.name, card.title, card.our_results) == ("mine", "Mine", [RESULT])
    assert card.constructor == {"backbone": "tiny", "margin": 0.5, "image_size": list(SIZE)}
    assert card.input["size"] == list(SIZE)
    assert set(card.weights["sha256"]) == {"model.keras", "probe.png", "probe.npy"}
    assert zoo.recipe(place).optimizer == zoo.recipe("baseline_tiny").optimizer
    assert "in this folder" in str(card)


def changed(place, tmp_path):
    return shutil.copytree(place, tmp_path / "changed")


@pytest.mark.parametrize("file", ["model.keras", "probe.png", "probe.npy"])
def test_a_changed_file_is_found(place, tmp_path, file):
    folder = changed(place, tmp_path)
    content = bytearray((folder / file).read_bytes())
    content[-1] ^= 1
    (folder / file).write_bytes(content)
    with pytest.raises(ValueError, match=rf"{file} is not the file that its card describes: expected SHA-256"):
        zoo.load(folder)


def test_another_embedding_is_found(place, tmp_path):
    folder = changed(place, tmp_path)
    embedding = np.load(folder / "probe.npy")

    def write(value):
        before = sha256(folder / "probe.npy")
        np.save(folder / "probe.npy", value)
        card = (folder / "card.toml").read_text(encoding="utf-8").replace(before, sha256(folder / "probe.npy"))
        (folder / "card.toml").write_text(card, encoding="utf-8")

    write(embedding * 1.005)
    zoo.load(folder)
    write(embedding * 1.02)
    with pytest.raises(ValueError, match=r"another embedding than when it was saved: they differ by 1.96%.* 1.00% are"):
        zoo.load(folder)
    write(embedding[:-1])
    with pytest.raises(ValueError, match=r"an embedding of the shape \(256,\), and it was \(255,\)"):
        zoo.load(folder)


def test_a_file_without_a_checksum_is_not_loaded(place, tmp_path):
    folder = changed(place, tmp_path)
    card = (folder / "card.toml").read_text(encoding="utf-8").replace('"model.keras" =', '"other" =')
    (folder / "card.toml").write_text(card, encoding="utf-8")
    with pytest.raises(ValueError, match="names model.keras without its SHA-256"):
        zoo.load(folder)


def test_what_cannot_be_saved(model, place, tmp_path):
    with pytest.raises(ValueError, match="exists already. Give another folder"):
        zoo.save(model, place, "baseline_tiny")
    with pytest.raises(ValueError, match="is a Baseline, and 'gmn_tiny' describes a GMN"):
        zoo.save(model, tmp_path / "x", "gmn_tiny")
    with pytest.raises(ValueError, match="Unknown entry of the card 'titel'. Did you mean 'title'"):
        zoo.save(model, tmp_path / "x", "baseline_tiny", titel="Mine")
    with pytest.raises(ValueError, match="Unknown entry of the card 'weights'"):
        zoo.save(model, tmp_path / "x", "baseline_tiny", weights={})
    row = {key: value for key, value in RESULT.items() if key != "source"}
    with pytest.raises(ValueError, match=r"Missing: \['source'\]"):
        zoo.save(model, tmp_path / "x", "baseline_tiny", our_results=[row])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_called_like_an_entry_would_never_be_loaded(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="'baseline_tiny' is an entry of the zoo, which would be loaded instead"):
        zoo.save(model, "baseline_tiny", "baseline_tiny")


def test_nothing_is_left_of_a_save_that_failed(model, tmp_path, monkeypatch):
    def full(*arguments, **options):
        raise OSError("no space left on device")

    monkeypatch.setattr(ReIDModel, "save", full)
    with pytest.raises(OSError, match="no space left"):
        zoo.save(model, tmp_path / "mine", "baseline_tiny")
    assert list(tmp_path.iterdir()) == []


def test_published_weights_are_checked_like_a_folder(place, tmp_path, monkeypatch):
    from keras_reid.zoo import cards

    shutil.copy(place / "card.toml", tmp_path / "named.toml")
    shutil.copy(place / "model.keras", tmp_path / "model.keras")
    monkeypatch.setattr(cards, "cards_folder", lambda: tmp_path)
    assert zoo.load("named", weights="published").image_size == SIZE
    (tmp_path / "model.keras").write_bytes(b"PK")
    with pytest.raises(ValueError, match="is not the file that its card describes"):
        zoo.load("named", weights="published")

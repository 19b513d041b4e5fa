"""`keras-reid gallery` as a stranger types it."""

import json
from pathlib import Path

import numpy as np
import pytest

import keras_reid
from keras_reid import cli
from keras_reid.gallery import Fingerprint, Gallery, field
from tests.gallery.test_models import Eye

NORTH = 'the "north" gate'


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.keras"
    keras_reid.zoo.load("baseline_tiny", image_size=(64, 32)).save(path)
    return str(path)


def run(capsys, *arguments):
    status = cli.main(["gallery", *map(str, arguments)])
    return status, *capsys.readouterr()


def test_enrol_search_stats_delete(model, people, tmp_path, capsys):
    path, crops = tmp_path / "people.db", people.gallery.path[:5]
    enrol = ["enrol", path, "--model", model, "--camera", 2, "--field", f"site={NORTH}", "--field", "floor=3"]
    status, out, _ = run(capsys, *enrol, "--images", *crops)
    assert (status, out) == (0, "5 entries of 5 images; the gallery holds 5\n")
    assert "5 already there" in run(capsys, *enrol, "--skip-known", "--images", *crops)[1]

    where = ["--where", f" site = {NORTH} ", "--where", "floor >=3", "--where", "camera!=1"]
    search = ["search", path, crops[0], "--model", model, "--top", 2, *where]
    status, out, error = run(capsys, *search, "--json", "--recall")
    (found,) = json.loads(out)
    assert status == 0
    assert found["query"] == found["matches"][0]["path"] == crops[0]
    assert len(found["matches"]) == 2
    assert "holds the exact best of 100.0 %" in error
    status, out, _ = run(capsys, *search, "--rerank")
    assert status == 0 and f"camera 2, site {NORTH}, floor 3, {crops[0]}" in out
    elsewhere = run(capsys, *search, "--other-cameras", "--camera", 2, "--json")[1]
    assert json.loads(elsewhere) == [{"query": crops[0], "matches": []}]
    others = json.loads(run(capsys, *search, "--other-cameras", "--camera", 1, "--json")[1])
    assert len(others[0]["matches"]) == 2

    status, out, _ = run(capsys, "stats", path)
    assert status == 0 and "Entries:      5" in out and "Baseline, 256 numbers" in out and "site (str)" in out
    assert json.loads(run(capsys, "stats", path, "--json")[1])["disk_bytes"] > 0

    key = found["matches"][0]["key"]
    status, out, _ = run(capsys, "delete", path, "--key", key)
    assert status == 0 and out.startswith("1 deleted, 4 left.") and "--compact" in out
    again = run(capsys, "delete", path, "--key", key, "--compact")[1]
    assert again == "0 deleted, 4 left. The gallery was compacted.\n"
    out = run(capsys, "delete", path, "--where", "floor=3", "--compact", "--json")[1]
    assert json.loads(out) == {"deleted": 4, "entries": 0, "compacted": True}


def test_the_first_enrolment_says_the_type_of_a_field(model, people, tmp_path, capsys):
    path, crops = tmp_path / "people.db", people.gallery.path[:3]
    enrol = ["enrol", path, "--model", model, "--images"]
    assert run(capsys, *enrol, crops[0], "--field", "site=north", "--field", "floor=3")[0] == 0
    assert run(capsys, *enrol, crops[1], "--field", "site=12", "--field", " floor = 4")[0] == 0
    assert run(capsys, *enrol, crops[2])[0] == 0
    status, _, error = run(capsys, *enrol, crops[2], "--field", "floor=low")
    assert status == 2 and "`floor` holds int. Received: 'low'" in error
    with Gallery(path) as gallery:
        assert gallery.fields == {"site": str, "floor": int}
        assert [gallery.count(field("site") == site) for site in ("north", "12")] == [1, 1]
        assert gallery.count(field("floor") == 4) == 1


def test_a_picture_is_found_from_another_folder(model, people, tmp_path, capsys, monkeypatch):
    crop = Path(people.gallery.path[0])
    monkeypatch.chdir(crop.parent)
    assert run(capsys, "enrol", tmp_path / "people.db", "--model", model, "--images", crop.name)[0] == 0
    with Gallery(tmp_path / "people.db") as gallery:
        assert gallery.count(field("path") == str(crop)) == 1


def test_only_enrolling_makes_a_gallery(model, people, tmp_path, capsys):
    path, crop = tmp_path / "people.db", people.gallery.path[0]
    for action in (["search", path, crop, "--model", model], ["delete", path, "--key", "a"], ["stats", path]):
        status, _, error = run(capsys, *action)
        assert status == 2 and f"There is no gallery {path}. Make it first: keras-reid gallery enrol." in error
        assert not path.exists()
    Gallery(path, Fingerprint("net", 2, "v1")).close()
    status, _, error = run(capsys, "search", path, crop, "--model", model, "--name", "others")
    assert status == 2 and f"There is no gallery {path}, gallery 'others'. Make it first" in error
    status, _, error = run(capsys, "search", path, tmp_path / "gone.jpg", "--model", "gone.keras")
    assert status == 2 and "There is no file or folder" in error


def test_thermal_images_are_said_to_be(monkeypatch, people, tmp_path, capsys):
    path, crop = tmp_path / "people.db", people.gallery.path[0]
    monkeypatch.setattr("keras_reid.methods.loading.load_model", lambda name: Eye())
    for more in ([], ["--thermal"]):
        run(capsys, "enrol", path, "--images", crop, "--model", "eye", "--field", f"kind=it{''.join(more)}", *more)
        search = run(capsys, "search", path, crop, "--model", "eye", "--json", *more)[1]
        ((match,),) = [one["matches"] for one in json.loads(search)]
        assert (round(match["score"], 4), match["fields"]["kind"]) == (1.0, f"it{''.join(more)}")
    status, _, error = run(capsys, "enrol", path, "--data", "folder", "--model", "eye", "--thermal")
    assert status == 2 and "--thermal is said of --images" in error


def test_what_steers_a_terminal_is_not_printed(model, people, tmp_path, capsys):
    path, crop = tmp_path / "people.db", people.gallery.path[0]
    run(capsys, "enrol", path, "--images", crop, "--model", model, "--field", "note=\x1b[31mred")
    out = run(capsys, "search", path, crop, "--model", model)[1]
    assert "\x1b" not in out and "[31mred" in out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["delete"], "Say which entries to delete"),
        (["delete", "--where", "camera"], "--where takes a field"),
        (["delete", "--where", "camera 3"], "--where takes a field"),
        (["delete", "--where", "camera=north"], "`camera` holds int. Received: 'north'"),
        (["delete", "--where", "sight=1"], "Unknown field of the gallery 'sight'"),
    ],
)
def test_what_cannot_be_is_a_sentence(arguments, sentence, tmp_path, capsys):
    path = tmp_path / "people.db"
    with Gallery(path, Fingerprint("net", 2, "v1")) as gallery:
        gallery.enrol(features=np.eye(2))
    status, _, error = run(capsys, arguments[0], path, *arguments[1:])
    assert status == 2 and sentence in error
    with Gallery(path) as gallery:
        assert len(gallery) == 2

"""Searching, opening a match, removing a person: what the page's buttons do."""

import io
import logging
import os
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from keras_reid.gallery import field
from keras_reid.serving.desk import Desk, Found
from keras_reid.serving.layout import Handlers


def content_of(person, people):
    return Path(people.query.path[list(people.query.person_id).index(person)]).read_bytes()


@pytest.fixture(scope="module")
def found(desk, people):
    return desk.search(desk.read(content_of(4, people)))


def place_of(found, **wanted):
    return next(
        number
        for number, match in enumerate(found.matches, 1)
        if all(getattr(match, name) == value for name, value in wanted.items())
    )


def test_a_search_finds_what_the_gallery_finds(desk, people, found):
    path = people.query.path[list(people.query.person_id).index(4)]
    (matches,) = desk.gallery.search([path], top_k=50)
    assert [match.key for match in found.matches] == [match.key for match in matches]
    assert found.crop.shape == (64, 32, 3) and found.crop.dtype == np.uint8
    other = desk.search(found.crop, " 0 ", other_cameras=True)
    assert {match.camera for match in other.matches} == {1}


@pytest.mark.parametrize("camera", ["<script>", "1.5", "٣", "1e3", "9" * 30, "--1", "1 or 1 == 1"])
def test_a_camera_is_a_number(camera, desk, found):
    with pytest.raises(ValueError, match="The camera must be a whole number"):
        desk.search(found.crop, camera)


def test_other_cameras_need_a_camera(desk, found):
    for camera in (None, "", "  "):
        with pytest.raises(ValueError, match="say which it is"):
            desk.search(found.crop, camera, other_cameras=True)


def test_correspondences_are_drawn_from_the_gallery_s_own_file(desk, found):
    assert desk.correspondences(found, place_of(found, person=4)).startswith("data:image/png;base64,")
    with pytest.raises(ValueError, match="is gone, or cannot be read"):
        desk.correspondences(found, place_of(found, key="<b>nobody</b>"))


def test_other_methods_say_that_they_have_none(desk, found):
    model = SimpleNamespace(image_size=(64, 32), interpolation="bilinear")
    with pytest.raises(ValueError, match="SimpleNamespace does not compare images place by place.* QAConv does"):
        Desk(desk.gallery, model).correspondences(found, 1)


@pytest.mark.parametrize("number", [0, -1, 99, "1; drop", None, [1], {"a": 1}, "/etc/passwd", 1.5, "٣"])
def test_a_match_is_chosen_by_its_number_only(number, desk, found):
    for ask in (desk.removal, desk.correspondences):
        with pytest.raises(ValueError, match="must be a whole number|no match"):
            ask(found, number)


def test_a_person_is_removed_in_two_steps(desk, found):
    before = len(desk.gallery)
    removal = desk.removal(found, str(place_of(found, person=5)))
    count = removal.entries
    assert count == 7 and str(removal) == "7 entries of person 5 will be removed."
    assert len(desk.gallery) == before  # not yet
    left, said = desk.remove(found, removal)
    assert said.startswith(f"7 entries removed, {before - 7} left. Image files were not touched.") and "disk" in said
    assert len(left.matches) == len(found.matches) - 7 and 5 not in {match.person for match in left.matches}
    assert desk.gallery.count(field("person") == 5) == 0
    with pytest.raises(ValueError, match="was removed meanwhile"):  # in somebody else's search it is still listed
        desk.removal(found, place_of(found, person=5))


def test_of_nobody_one_entry_is_removed_and_taken_off_the_disk(desk, found):
    before = len(desk.gallery)
    removal = desk.removal(found, place_of(found, key="<b>nobody</b>"))
    assert removal.entries == 1 and "Whose it is was not recorded" in str(removal)
    _, said = desk.remove(found, removal, compact=True)
    assert said == f"1 entry removed, {before - 1} left. Image files were not touched."
    held = b"".join(file.read_bytes() for file in desk.gallery._connection.folder.rglob("*") if file.is_file())
    assert b"<b>nobody</b>" not in held


def test_several_people_at_the_desk(desk, found):
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(desk.search(found.crop))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({tuple(match.key for match in answer.matches) for answer in answers}) == 1 and len(answers) == 4


def test_handlers_answer_in_sentences_and_delete_uploads(desk, people, tmp_path):
    do = Handlers(desk, tmp_path)
    upload = tmp_path / "0a1b" / "crop.png"
    upload.parent.mkdir()
    upload.write_bytes(content_of(4, people))
    (tmp_path / "tmp_left").write_bytes(b"too large")
    os.utime(tmp_path / "tmp_left", (0, 0))
    (tmp_path / "tmp_under_way").touch()  # somebody else's
    answer = do.look(str(upload), "", False)
    assert isinstance(answer["found"], Found) and answer["matches"].count("<article") == len(answer["found"].matches)
    assert "<script>" not in answer["matches"] and "&lt;script&gt;" in answer["matches"]
    assert [path.name for path in tmp_path.iterdir()] == ["tmp_under_way"]
    assert "Drop it again" in do.look(str(upload), "", False)["message"]

    upload.parent.mkdir()
    upload.write_bytes(b"no image")
    said = do.look(str(upload), "", False)["message"]
    assert "reid-said wrong" in said and "not an image" in said and not upload.exists()
    assert "&lt;script&gt;" in do.again(answer["found"], "<script>", False)["message"]
    assert "Drop a crop first" in do.again(None, "", False)["message"]
    assert "too old" in do.open(None, 1)["message"] and "too old" in do.ask(None, 1)["message"]
    assert "Choose first" in do.remove(answer["found"], None, True)["message"]

    asked = do.ask(answer["found"], place_of(answer["found"], person=6))
    assert asked["question"] is True and "7 entries of person 6" in asked["message"]
    assert do.keep() == {"message": do.keep()["message"], "pending": None, "question": False}
    done = do.remove(answer["found"], asked["pending"], False)
    assert "7 entries removed" in done["message"] and done["question"] is False and done["pending"] is None


def test_a_gallery_that_does_not_answer_is_a_sentence(tmp_path, caplog):
    def count(condition):
        raise ConnectionError("Milvus at http://10.0.0.1:19530 failed in `query`.")

    desk = Desk(SimpleNamespace(count=count), SimpleNamespace())
    found = Found(np.zeros((8, 4, 3), "uint8"), (SimpleNamespace(key="a", person=None),))
    with caplog.at_level(logging.ERROR):
        message = Handlers(desk, tmp_path).ask(found, 1)["message"]
    assert "The gallery does not answer." in message and "10.0.0.1" not in message and "10.0.0.1" in caplog.text


def test_what_is_under_way_is_waited_for_and_nothing_begins_then():
    begun, go_on, done = threading.Event(), threading.Event(), []

    def search(*images, **options):
        begun.set()
        assert go_on.wait(10)
        done.append("search")
        return ([],)

    desk, crop = Desk(SimpleNamespace(search=search), None), np.zeros((8, 4, 3), "uint8")
    searching = threading.Thread(target=lambda: desk.search(crop))
    closing = threading.Thread(target=lambda: (desk.close(), done.append("closed")))
    searching.start()
    assert begun.wait(10)
    closing.start()
    closing.join(0.05)
    assert done == []
    go_on.set()
    searching.join()
    closing.join()
    assert done == ["search", "closed"]
    with pytest.raises(ValueError, match="The page was stopped"):
        desk.search(crop)


def test_a_crop_of_any_size_is_kept_at_the_model_s(desk):
    buffer = io.BytesIO()
    Image.new("RGB", (900, 700)).save(buffer, "PNG")
    assert desk.read(buffer.getvalue()).shape == (64, 32, 3)


def test_top_is_positive(desk):
    with pytest.raises(ValueError, match="`top` must be"):
        Desk(desk.gallery, desk.model, top=0)


def test_a_removal_is_said_also_where_the_disk_could_not_be_cleared(desk, found, monkeypatch, caplog):
    def compact():
        raise OSError("no space left")

    monkeypatch.setattr(desk.gallery, "compact", compact)
    now = desk.search(found.crop)
    person = next(match.person for match in now.matches if match.person is not None)
    removal = desk.removal(now, place_of(now, person=person))
    left, said = desk.remove(now, removal, compact=True)
    assert " removed, " in said and "still on the disk" in said
    assert person not in {match.person for match in left.matches} and "no space left" in caplog.text

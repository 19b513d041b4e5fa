"""With the library's own models: images in, people out."""

import io

import numpy as np
import pytest
from PIL import Image

import keras_reid
from keras_reid.gallery import Fingerprint, Gallery, field
from keras_reid.gallery.fingerprint import fingerprint_of


@pytest.fixture(scope="module")
def baseline():
    return keras_reid.zoo.load("baseline_tiny", image_size=(64, 32))


def test_a_fingerprint_is_of_what_is_published(baseline, tmp_path):
    baseline.save(tmp_path / "model.keras")
    loaded = keras_reid.load_model(tmp_path / "model.keras")
    assert fingerprint_of(loaded) == fingerprint_of(baseline)
    headed = type(baseline).from_config({**baseline.get_config(), "num_classes": 5, "name": "other"})
    headed.set_weights([*headed.get_weights()])
    assert fingerprint_of(headed) == fingerprint_of(headed.inference_model())
    assert "weights" in fingerprint_of(headed).difference(fingerprint_of(baseline))
    assert "num_classes" not in fingerprint_of(headed).config
    with pytest.raises(TypeError, match="must be a model of this library, or a Fingerprint.*Received: str"):
        fingerprint_of("baseline_tiny")


def test_a_table_is_enrolled_once_and_found(baseline, people, tmp_path):
    table, query = people.gallery, people.query
    with Gallery(tmp_path / "people.db", baseline, fields={"site": str}) as gallery:
        done = gallery.enrol(table, fields={"site": "north"}, batch_size=10)
        assert done.entries == len(gallery) == len(table)
        assert gallery.enrol(table, skip_known=True).known == len(table)
        found = gallery.search(query, top_k=3, other_cameras=True, where=field("site") == "north")
        expected = baseline.score(
            keras_reid.evaluation.extract(baseline, query, progress=False),
            keras_reid.evaluation.extract(baseline, table, progress=False),
        )
        for row, matches in enumerate(found):
            allowed = np.flatnonzero(table.camera_id != query.camera_id[row])
            best = allowed[np.argsort(-expected[row, allowed], kind="stable")[:3]]
            assert [match.path for match in matches] == table.path[best].tolist()
            assert {match.person for match in matches} <= set(table.person_id.tolist())


class Eye:
    """Sees how bright an image is, of which modality, and how many images it was shown."""

    name, image_size, interpolation = "eye", (8, 4), "bilinear"
    shown = 0

    def fingerprint(self):
        return Fingerprint("Eye", 3, "v1")

    def extract(self, batches, verbose=0):
        found = [
            np.stack([np.ones(len(batch["image"])), batch["image"][:, 0, 0, 0], batch["modality"]], axis=1)
            for batch in batches
        ]
        self.shown += sum(map(len, found))
        return np.concatenate(found)


def test_the_model_is_told_the_modality(people, tmp_path):
    image = np.zeros((1, 8, 4, 3), "uint8")
    with Gallery(tmp_path / "people.db", Eye()) as gallery:
        gallery.enrol(image, keys=["visible"])
        gallery.enrol(image, keys=["thermal"], modality=1)
        for modality, key in enumerate(["visible", "thermal"]):
            match = gallery.search(image, modality=modality)[0][0]
            assert (match.key, round(match.score, 5)) == (key, 1.0)
        assert gallery.shortlist_recall(image, shortlist=1, top=1, modality=1).best == 1.0
        with pytest.raises(ValueError, match="a table says its own.*Received: 1. Leave it out"):
            gallery.enrol(people.gallery, modality=1)


def test_images_that_differ_in_their_palette_alone_are_two(tmp_path):
    black, white = (Image.new("P", (4, 8)) for _ in range(2))
    black.putpalette([0, 0, 0])
    white.putpalette([255, 255, 255])
    assert black.tobytes() == white.tobytes()
    with Gallery(tmp_path / "people.db", Eye()) as gallery:
        gallery.enrol([black, white])
        assert len(gallery) == 2
        gallery.enrol([Image.new("RGB", (4, 8), "white"), np.zeros((8, 4, 3), "uint8")])  # the same to the model
        assert len(gallery) == 2


def test_what_cannot_be_read_is_left_out_and_named(people, tmp_path):
    whole, others = tmp_path / "0.png", [tmp_path / f"{number}.png" for number in (1, 2)]
    Image.new("RGB", (64, 128), "white").save(whole)
    others[0].write_bytes(whole.read_bytes()[:-40])  # the second is not there
    cut = Image.open(io.BytesIO(others[0].read_bytes()))
    images, eye = [whole, *others, cut], Eye()
    with Gallery(tmp_path / "people.db", eye) as gallery:
        done = gallery.enrol(images, cameras=0, tracklets=[3, 3, 4, -1], on_bad_image="skip", batch_size=2)
        assert (done.images, done.entries) == (4, 1)  # a tracklet of what is left; of none there is no entry
        assert done.unreadable == (*map(str, others), "image 3")
        assert eye.shown == 1
        assert str(done) == f"1 entry of 4 images, 3 unreadable, the first is {others[0]}"
        (match,) = gallery.search(np.ones((1, 8, 4, 3)))[0]
        assert (match.images, match.path) == (1, str(whole))
        assert gallery.enrol([whole, *others], cameras=0, tracklets=3, on_bad_image="skip").entries == 1
        assert len(gallery) == 1  # of the same images, so of the same key
        again = gallery.enrol(images, skip_known=True, on_bad_image="skip")
        assert (again.known, len(again.unreadable)) == (1, 3)
        for bad in images[1:]:
            with pytest.raises(ValueError, match=r"There is no image file .*2.png|Cannot read"):
                gallery.enrol([whole, bad], cameras=1)
        assert gallery.count(field("camera") == 1) == 0


def test_files_and_arrays_are_enrolled_and_what_is_no_image_is_left_out(baseline, people, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_text("no image")
    files = [*people.gallery.path[:3], str(broken)]
    with Gallery(tmp_path / "people.db", baseline) as gallery:
        with pytest.raises(ValueError, match="broken.jpg"):
            gallery.enrol(files, cameras=1)
        assert len(gallery) == 0
        done = gallery.enrol(files, cameras=1, on_bad_image="skip", batch_size=1)
        assert (done.entries, done.unreadable) == (3, (str(broken),))
        gallery.enrol(np.zeros((1, 80, 40, 3), "uint8"), keys=["black"])
        assert gallery.search([np.zeros((80, 40, 3), "uint8")], top_k=1)[0][0].key == "black"
        assert gallery.count(field("path") == files[0]) == 1


@pytest.mark.parametrize(
    ("name", "options"), [("qaconv_tiny", {}), ("gmn_tiny", {"image_size": (64, 32), "hidden": (8,)})]
)
def test_pairwise_methods_score_a_shortlist_as_they_do_themselves(name, options, people, tmp_path):
    model = keras_reid.zoo.load(name, **options)
    features = keras_reid.evaluation.extract(model, people.gallery.take(np.arange(12)), progress=False)
    features = features.astype(np.float16).astype(np.float32)  # as the gallery keeps them
    with Gallery(tmp_path / "people.db", model) as gallery:
        gallery.enrol(features=features, keys=[str(row) for row in range(12)])
        expected = np.sort(model.score(features[:2], features), axis=1)[:, ::-1]
        found = gallery.search(features=features[:2], top_k=12, shortlist=12)
        np.testing.assert_allclose([[match.score for match in row] for row in found], expected, rtol=1e-4, atol=1e-6)
        assert gallery.shortlist_recall(features=features[:2], shortlist=12).best_top == 1.0

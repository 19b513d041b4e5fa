"""With the library's own models: images in, people out."""

import numpy as np
import pytest

import keras_reid
from keras_reid.gallery import Gallery, field
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

"""The folder of a pairwise method's features: found again, shared with others, left whole when a compaction is cut."""

import pytest

from keras_reid.gallery import Gallery
from keras_reid.gallery.schema import new_collection
from tests.gallery.test_two_stages import Matcher, maps

KEYS = list("abcdef")


def enrolled(path, **options):
    gallery = Gallery(path, Matcher(), **options)
    gallery.enrol(features=maps(6), keys=KEYS)
    return gallery


def check(path, **options):
    """Everybody is found with the features that were enrolled."""
    with Gallery(path, Matcher(), **options) as gallery:
        found = gallery.search(features=maps(6), top_k=6)
        model = Matcher()
        for row, matches in enumerate(found):
            scores = model.score(maps(6)[row : row + 1], maps(6))[0]
            assert {match.key: round(match.score, 4) for match in matches} == {
                key: round(float(score), 4) for key, score in zip(KEYS, scores, strict=True)
            }


def test_galleries_may_share_a_folder_of_features(tmp_path):
    shared = tmp_path / "shared"
    with enrolled(tmp_path / "first.db", features=shared), enrolled(tmp_path / "second.db", features=shared) as second:
        (shared / "people.notes.bin").write_text("somebody's")
        second.compact()
    for name in ("first", "second"):
        check(tmp_path / f"{name}.db", features=shared)
    assert len(list(shared.iterdir())) == 3


def test_features_that_are_not_where_they_are_looked_for_are_not_made_anew(tmp_path):
    enrolled(tmp_path / "people.db", features=tmp_path / "maps").close()
    with pytest.raises(ValueError, match=r"are not in .*people.features.*Give the folder they are in as `features=`"):
        Gallery(tmp_path / "people.db", Matcher())
    assert not (tmp_path / "people.features").exists()
    check(tmp_path / "people.db", features=tmp_path / "maps")
    (tmp_path / "people.db").rename(tmp_path / "renamed.db")
    with pytest.raises(ValueError, match="a database that was renamed"):
        Gallery(tmp_path / "renamed.db")


def test_what_a_compaction_that_was_killed_left_is_removed_and_nothing_else(tmp_path):
    folder = tmp_path / "maps"
    with enrolled(tmp_path / "people.db", features=folder) as gallery:
        store = gallery._store
        about = {**store.about, "features": "0a1b2c3d"}
        new_collection(store.client, store.name, about, gallery._columns.values())
        left = folder / store.file_name(about)
        for file in (left, folder / "people.ffffffff.bin"):
            file.write_bytes(store.features.path.read_bytes())
    check(tmp_path / "people.db", features=folder)
    assert not left.exists()
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize("call", ["upsert", "alter_alias", "drop_collection"])
@pytest.mark.parametrize("after", [False, True])
def test_an_interrupted_compaction_loses_nothing(tmp_path, monkeypatch, call, after):
    with enrolled(tmp_path / "people.db") as gallery:
        client = gallery._store.client._part
        usual = getattr(client, call)

        def interrupted(*values, **named):
            monkeypatch.undo()
            if after:
                usual(*values, **named)
            raise KeyboardInterrupt

        monkeypatch.setattr(client, call, interrupted)
        with pytest.raises(KeyboardInterrupt):
            gallery.compact()
        assert gallery.search(features=maps(6)[1:2])[0][0].key == "b"  # the same program goes on
        gallery.update("a", camera=3)
    check(tmp_path / "people.db")
    with Gallery(tmp_path / "people.db") as gallery:
        assert gallery.stats()["feature_rows"] == len(gallery) == 6
    assert len(list((tmp_path / "people.features").iterdir())) == 1
    assert len([folder for folder in (tmp_path / "people.db" / "collections").iterdir() if folder.is_dir()]) == 1

import dataclasses

import numpy as np
import pytest

from keras_reid.datasets import ReIDDataset, ReIDTable, combine, leave_one_out
from keras_reid.datasets.multi_source import SMALL_SETS

NOTHING = ReIDTable.from_columns([], [])


def table(name, persons, cameras=None, **columns):
    return ReIDTable.from_columns([f"/{name}/{row}.jpg" for row in range(len(persons))], persons, cameras, **columns)


def site(name, persons=(3, 3, 5), cameras=(0, 2, 0), test=(8, 9), distractors=2):
    """A set with training persons, two cameras in test, and distractors."""
    gallery = [*test, *[0] * distractors, -1]
    return ReIDDataset(
        name,
        table(f"{name}/train", persons, cameras),
        table(f"{name}/query", test, [0] * len(test)),
        table(f"{name}/gallery", gallery, [1] * len(gallery)),
    )


def source_of(path):
    return path.split("/")[1]


def test_identities_of_different_sources_never_merge_and_domains_match_the_rows():
    # The same numbers in every source; what is right is told by the paths alone.
    sources = [site("a"), site("b", persons=(3, 5, 5, 7), cameras=(1, 1, 0, 4)), site("c")]
    found = combine(sources).train
    before = {path: (source.name, person, camera) for source in sources for path, person, camera in rows(source.train)}
    for column, place in (("person_id", 1), ("camera_id", 2)):
        owner = {}
        for path, number in zip(found.path, getattr(found, column), strict=True):
            key = (before[path][0], before[path][place])
            assert owner.setdefault(number, key) == key
        assert len(owner) == len({(value[0], value[place]) for value in before.values()})
    assert [source_of(path) for path in found.path] == ["abc"[domain] for domain in found.domain]
    assert found.num_persons == 2 + 3 + 2


def rows(one):
    return zip(one.path, one.person_id.tolist(), one.camera_id.tolist(), strict=True)


def test_unknown_stays_unknown_and_the_rest_is_kept():
    first = ReIDDataset("a", table("a", [1, 1], tracklet=[-1, 4], time_s=[1.5, np.nan]), NOTHING, NOTHING)
    second = ReIDDataset("b", table("b", [1, 2], [0, -1], tracklet=[4, 4], modality=[0, 1]), NOTHING, NOTHING)
    found = combine([first, second], "both")
    assert found.name == "both"
    assert found.train.camera_id.tolist() == [-1, -1, 0, -1]
    assert found.train.tracklet.tolist() == [-1, 0, 1, 1]
    assert found.train.modality.tolist() == [0, 0, 0, 1]
    assert found.train.time_s[0] == 1.5
    assert (len(found.query), len(found.gallery), found.protocol) == (0, 0, "market1501")
    assert found.notes == ("domain 0 is a: 1 persons, 2 images", "domain 1 is b: 2 persons, 2 images")


def test_any_number_may_be_a_person():
    odd = ReIDDataset("odd", table("odd", [-7, -1, 0]), NOTHING, NOTHING)
    assert combine([odd, odd]).train.person_id.tolist() == [1, 2, 3, 4, 5, 6]


def test_the_target_is_untouched_and_shares_nobody():
    target = dataclasses.replace(site("t"), protocol="no_camera", notes=("old",), trials=(np.array([0, 1]),))
    found = combine([site("a"), site("b")], target=target)
    assert found.query is target.query and found.gallery is target.gallery
    assert (found.protocol, found.notes[-1], len(found.trials)) == ("no_camera", "old", 1)
    assert found.train.person_id.min() > target.gallery.person_id.max()


def test_all_images_without_distractors_and_junk():
    found = combine([site("a")], use="all").train
    assert len(found) == 3 + 2 + 2
    assert found.num_persons == 2 + 2
    zero = site("z", test=(0, 9), distractors=1)  # here 0 is looked for, so it is somebody
    assert combine([zero], use="all").train.num_persons == 4
    trained = ReIDDataset("t", table("t", [0, 1]), NOTHING, NOTHING)
    assert combine([trained], use="all").train.num_persons == 2


def test_combined_sources_keep_their_domains():
    nested = combine([combine([site("a"), site("b")]), site("c")])
    flat = combine([site("a"), site("b"), site("c")])
    for column in ("person_id", "camera_id", "domain"):
        assert getattr(nested.train, column).tolist() == getattr(flat.train, column).tolist()
    assert nested.notes[0].startswith("domain 0 to 1 is a+b: 4 persons")


def test_bad_sources():
    with pytest.raises(ValueError, match=r"must hold at least one source\. Received: none"):
        combine([])
    with pytest.raises(TypeError, match="A source must be a ReIDDataset. Received: ReIDTable"):
        combine([NOTHING])
    with pytest.raises(ValueError, match=r"The source 'empty' has no training images: .* Leave it out"):
        combine([ReIDDataset("empty", NOTHING, NOTHING, NOTHING)])
    with pytest.raises(ValueError, match=r"Unknown use of the sources 'test'\. .*Known: all, train"):
        combine([site("a")], use="test")


SITES = {name: site(name) for name in ("a", "b", "c")}
TRAIN_ONLY = ReIDDataset("cs", table("cs", [1, 1, 2]), NOTHING, NOTHING)


@pytest.mark.parametrize(("protocol", "images"), [(2, 3), (3, 7)])
def test_leave_one_out(protocol, images):
    found = dict(leave_one_out({**SITES, "cs": TRAIN_ONLY}, protocol))
    assert list(found) == ["a", "b", "c"]  # the training-only set is no target
    for target, dataset in found.items():
        assert dataset.query is SITES[target].query
        sources = {source_of(path) for path in dataset.train.path}
        assert sources == {"a", "b", "c", "cs"} - {target}
        assert len(dataset.train) == 2 * images + 3
        assert dataset.train.domain.max() == 2
    assert found["b"].name == "a+c+cs->b"


def test_protocol_1_goes_from_the_large_to_the_small():
    small = {name: site(name) for name in ("viper", "grid")}
    found = dict(leave_one_out({**SITES, **small}, 1))
    assert list(found) == ["viper", "grid"]
    for dataset in found.values():
        assert {source_of(path) for path in dataset.train.path} == {"a", "b", "c"}
        assert len(dataset.train) == 3 * 7
    assert set(SMALL_SETS) == {"viper", "grid", "ilids", "prid2011"}
    assert list(dict(leave_one_out(SITES, 1, targets=["c"]))) == ["c"]


def test_impossible_protocols():
    with pytest.raises(ValueError, match="`protocol` must be 1, 2 or 3. Received: 4"):
        leave_one_out(SITES, 4)
    with pytest.raises(ValueError, match="Unknown target 'd'"):
        leave_one_out(SITES, targets=["d"])
    with pytest.raises(ValueError, match="The target 'cs' has no queries"):
        leave_one_out({**SITES, "cs": TRAIN_ONLY}, targets=["cs"])
    with pytest.raises(ValueError, match=r"Protocol 1 needs a large set .* of which \[\] are tested"):
        leave_one_out(SITES, 1)
    with pytest.raises(ValueError, match="Protocol 2 needs two sets, one of them tested"):
        leave_one_out({"a": SITES["a"]})

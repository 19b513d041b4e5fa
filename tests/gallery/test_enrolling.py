"""What is enrolled: which images make an entry, what it is called, what is known of it, and what is refused."""

import numpy as np
import pytest

from keras_reid.gallery import field
from tests.gallery.conftest import units
from tests.gallery.test_gallery import keys_of


def test_enrolling_again_changes_nothing(gallery):
    embeddings = units(20)
    first = gallery.enrol(features=embeddings, cameras=2)
    keys = keys_of(gallery)
    assert first.entries == len(gallery) == len(set(keys)) == 20
    gallery.enrol(features=embeddings[:7], cameras=2)
    assert keys_of(gallery) == keys
    again = gallery.enrol(features=embeddings, cameras=2, skip_known=True)
    assert (again.entries, again.known) == (0, 20)


def test_a_key_is_of_one_image_or_of_one_tracklet(gallery):
    with pytest.raises(ValueError, match="one for the images of a tracklet. Received: 'a' for 2. Say who.*`persons="):
        gallery.enrol(features=units(3), keys=["a", "b", "a"], cameras=[0, 1, 2], batch_size=1)
    assert len(gallery) == 0
    gallery.enrol(features=units(3), keys=["a", "b", "a"], cameras=0, tracklets=[4, 5, 4])
    assert keys_of(gallery) == ["a", "b"]


def test_enrolling_again_keeps_what_it_does_not_say(gallery):
    embeddings = units(3)
    told = {"cameras": [1, 2, None], "times": 60.0, "fields": {"site": "north"}}
    gallery.enrol(features=embeddings, keys=["a", "b", "c"], **told)
    gallery.update("a", person=7, camera=5, site="south")
    gallery.enrol(features=embeddings[::-1], keys=["a", "b", "d"], cameras=[-1, 3, 3])
    found = {match.key: match for match in gallery.search(features=embeddings[2:])[0]}
    assert found["a"].score == pytest.approx(1.0, abs=1e-5)  # the new embedding
    assert [
        (key, found[key].camera, found[key].person, found[key].time, found[key].fields["site"]) for key in "abcd"
    ] == [
        ("a", 5, 7, 60.0, "south"),
        ("b", 3, None, 60.0, "north"),
        ("c", None, None, 60.0, "north"),
        ("d", 3, None, None, None),
    ]


def test_minus_one_is_unknown_everywhere(gallery):
    gallery.enrol(features=units(2), keys=["a", "b"], cameras=-1, persons=[-1, 3], tracklets=np.int32(-1))
    for name, known in (("camera", 0), ("person", 1), ("tracklet", 0)):
        assert gallery.count(field(name) >= -5) == known
        with pytest.raises(ValueError, match=f"`{name}` cannot be compared with -1, which stands for unknown"):
            gallery.count(field(name) == -1)
    gallery.update("b", person=-1)
    assert gallery.count(field("person") >= -5) == 0
    gallery.update("b", time=-1.0)  # a time may be
    assert gallery.count(field("time") == -1) == 1
    with pytest.raises(ValueError, match="`other_cameras` needs the camera of every query. Received: none for query 0"):
        gallery.search(features=units(1), cameras=-1, other_cameras=True)


def test_a_tracklet_is_one_entry_of_the_mean(gallery):
    embeddings = units(5)
    gallery.enrol(
        features=3 * embeddings,
        cameras=[0, 0, 0, 1, 1],
        tracklets=[4, 4, 4, 4, -1],
        times=[1.0, np.nan, 3.0, 9.0, 9.0],
        persons=[7, 7, None, 8, 8],
    )
    assert len(gallery) == 3  # a tracklet's number belongs to its camera
    match = gallery.search(features=embeddings[:3].mean(axis=0)[None], top_k=1)[0][0]
    assert (match.images, match.time, match.person, match.tracklet, match.camera) == (3, 2.0, 7, 4, 0)
    assert match.score == pytest.approx(1.0, abs=1e-5)


def test_tracklets_need_not_be_pooled(gallery):
    gallery.enrol(features=units(3), cameras=0, tracklets=5, pool=False)
    assert len(gallery) == 3


def test_images_of_a_tracklet_that_contradict_are_refused_before_anything_is_written(gallery):
    with pytest.raises(ValueError, match="must agree in `person`. Received: \\[1, 2\\]"):
        gallery.enrol(features=units(2), cameras=0, tracklets=5, persons=[1, 2])
    assert len(gallery) == 0


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        ({"features": units(2)[:, :5]}, ValueError, r"of the shape \[N, 16\].*Received: float32 \(2, 5\)"),
        ({"features": units(2) * np.nan}, ValueError, "must be finite"),
        ({"features": units(2) * 0}, ValueError, "not zero"),
        ({}, ValueError, "Give images or `features=`, one of the two"),
        ({"images": np.zeros((1, 8, 4, 3))}, ValueError, "A Fingerprint extracts nothing"),
        ({"features": units(2), "cameras": [1]}, ValueError, "`camera` needs one value, or one for each of 2"),
        ({"features": units(2), "cameras": "1"}, TypeError, "`camera` holds int. Received: '1'"),
        ({"features": units(2), "keys": ["a", None]}, ValueError, "Every entry needs a `key`"),
        ({"features": units(2), "keys": ["a", ""]}, ValueError, "`key` must not be empty"),
        ({"features": units(2), "keys": ["a", "é" * 200]}, ValueError, "`key` may have 255 bytes. Received: 400"),
        ({"features": units(2), "fields": {"sight": 1}}, ValueError, "Unknown field of your own 'sight'. Did you mean"),
        ({"features": units(2), "fields": {"site": "\x00"}}, ValueError, "hold the character 0"),
        ({"features": units(2), "fields": {"site": "a" * 5000}}, ValueError, "`site` may have 4096 bytes"),
        ({"features": units(2), "batch_size": 0}, ValueError, "`batch_size` must be an integer of at least 1"),
        ({"features": units(2), "batch_size": 5000}, ValueError, "`batch_size` may be 4096 at most"),
        ({"features": units(2), "on_bad_image": "drop"}, ValueError, "Unknown value of `on_bad_image` 'drop'"),
        ({"features": units(2), "modality": 2}, ValueError, r"must be 0 \(visible\) or 1 \(thermal\). Received: 2"),
        (
            {"features": units(2), "modality": 1},
            ValueError,
            "features were extracted before. Received: 1. Leave it out",
        ),
    ],
)
def test_what_cannot_be_enrolled_is_said_and_nothing_is_written(gallery, arguments, error, sentence):
    with pytest.raises(error, match=sentence):
        gallery.enrol(**arguments)
    assert len(gallery) == 0

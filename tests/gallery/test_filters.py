"""Conditions against plain Python, on the engine itself; hostile text finds what it equals and nothing else."""

import operator

import numpy as np
import pytest

from keras_reid.gallery import field
from keras_reid.gallery.columns import all_columns, own_columns
from tests.gallery.conftest import FIELDS, HOSTILE

COLUMNS = all_columns(own_columns(FIELDS))


def one(name, word, value):
    """The condition, and what it says of a row: an unknown value fulfils nothing."""
    compare = {
        "==": operator.eq,
        "!=": operator.ne,
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
        "in": lambda found, values: found in values,
        "not in": lambda found, values: found not in values,
    }[word]
    made = {
        "==": lambda it: it == value,
        "!=": lambda it: it != value,
        "<": lambda it: it < value,
        "<=": lambda it: it <= value,
        ">": lambda it: it > value,
        ">=": lambda it: it >= value,
        "in": lambda it: it.is_in(value),
        "not in": lambda it: it.not_in(value),
    }[word](field(name))
    return made, lambda filled, row: (found := filled.value(name, row)) is not None and compare(found, value)


def both(first, second):
    return first[0] & second[0], lambda filled, row: first[1](filled, row) and second[1](filled, row)


def either(first, second):
    return first[0] | second[0], lambda filled, row: first[1](filled, row) or second[1](filled, row)


CONDITIONS = {
    "camera": one("camera", "==", 3),
    "other cameras": one("camera", "!=", np.int32(3)),
    "some cameras": one("camera", "in", [1, 2]),
    "none of these cameras": one("camera", "not in", [1, 2]),
    "time": both(one("time", ">=", 20.25), one("time", "<", 700)),
    "time below zero": one("time", "<", -1.5e-3),
    "floor": either(one("floor", "<=", -2), one("floor", ">", 1)),
    "height": one("height", ">", 0),
    "staff": one("staff", "==", True),
    "not staff": one("staff", "!=", np.bool_(True)),
    "brackets": both(either(one("camera", "==", 1), one("camera", "==", 2)), one("site", "!=", "")),
    "key": one("key", "==", f"5 {HOSTILE[5]}"),
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_search_and_count_obey_a_condition_as_brute_force_does(filled, name):
    where, fulfils = CONDITIONS[name]
    rows = [row for row in range(len(filled.keys)) if fulfils(filled, row)]
    assert rows
    assert filled.gallery.count(where) == len(rows)
    query = filled.embeddings[:3] + 0.1
    matches = filled.gallery.search(features=query, top_k=10, where=where)
    cosines = query / np.linalg.norm(query, axis=1, keepdims=True) @ filled.embeddings[rows].T
    for found, row in zip(matches, cosines, strict=True):
        best = np.argsort(-row)[:10]
        assert [match.key for match in found] == [filled.keys[rows[place]] for place in best]
        np.testing.assert_allclose([match.score for match in found], row[best], atol=1e-5)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_equals_only_itself(filled, text):
    equal = sum(site == text for site in filled.fields["site"])
    known = sum(site is not None for site in filled.fields["site"])
    assert filled.gallery.count(field("site") == text) == equal > 0
    assert filled.gallery.count(field("site") != text) == known - equal
    assert filled.gallery.count(field("site").is_in([text, "elsewhere"])) == equal


def test_other_cameras_are_those_known_to_be_others(filled):
    matches = filled.gallery.search(features=filled.embeddings[:4], cameras=[1, 2, 1, 3], other_cameras=True, top_k=300)
    for found, camera in zip(matches, [1, 2, 1, 3], strict=True):
        assert {match.camera for match in found} == set(range(6)) - {camera}
        assert len(found) == sum(other is not None and other != camera for other in filled.camera)


def test_other_cameras_needs_the_queries_cameras(filled):
    with pytest.raises(ValueError, match="needs the camera of every query. Received: none for query 1"):
        filled.gallery.search(features=filled.embeddings[:2], cameras=[1, -1], other_cameras=True)


@pytest.mark.parametrize(
    ("where", "error", "sentence"),
    [
        (lambda: field("sight") == "a", ValueError, "Unknown field of the gallery 'sight'"),
        (lambda: field("floor") == "1 or true", TypeError, "`floor` holds int. Received: '1 or true'"),
        (lambda: field("site") == 1, TypeError, "`site` holds str"),
        (lambda: field("camera") == True, TypeError, "`camera` holds int. Received: True"),  # noqa: E712
        (lambda: field("time") == float("inf"), ValueError, "`time` must be finite"),
        (lambda: field("camera") == None, ValueError, "cannot be compared with None"),  # noqa: E711
        (lambda: field("staff") > True, TypeError, "takes == and !="),
        (lambda: field("site") == "\ud800", ValueError, "text that UTF-8 can hold"),
        (lambda: field("camera").is_in([]), ValueError, "need at least one value"),
        (lambda: field("site").is_in("north"), TypeError, "take a list of values"),
        (lambda: (field("camera") == 1) & "true", TypeError, "Only conditions are joined"),
        (lambda: (field("camera") == 1) and (field("time") < 2), TypeError, "Join conditions by & and |"),
    ],
)
def test_what_is_no_condition_is_said(where, error, sentence):
    with pytest.raises(error, match=sentence):
        where().expression(COLUMNS)

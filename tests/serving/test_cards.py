"""Whatever a gallery holds is text on the page."""

from html.parser import HTMLParser

import numpy as np
import pytest

from keras_reid.gallery.matching import Match
from keras_reid.serving.cards import cards, said
from keras_reid.serving.desk import Found
from tests.serving.conftest import HOSTILE


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.text = set(), set(), ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)

    def handle_data(self, data):
        self.text += data


def page_of(**known):
    return cards(Found(np.zeros((8, 4, 3), "uint8"), (Match("key", 0.5, 0.5, **known),)))


@pytest.mark.parametrize(
    "hostile", [HOSTILE, '"><img src=x onerror=alert(1)>', "</dd></article><iframe>", "a\nb\x00\x1b"]
)
def test_fields_and_keys_stay_text(hostile):
    match = Match(hostile, 0.5, 0.5, fields={hostile: hostile}, path=hostile.replace("\x00", ""))
    written = cards(Found(np.zeros((8, 4, 3), "uint8"), (match,)))
    read = Tags(written)
    assert read.tags == {"div", "article", "strong", "dl", "dt", "dd", "button"}
    assert read.attributes == {"class", "type", "data-action", "data-number"}
    assert not set("${}`\\\u202e\n\x00\x1b") & set(written)
    assert hostile[:10].split("\n")[0] in read.text


def test_what_is_known_and_what_is_not_is_said():
    text = Tags(page_of(camera=3, time=61.25, person=7, images=4, fields={"site": "north", "floor": None})).text
    for part in ("score0.5000", "camera3", "time61.25 s", "person7", "images4", "sitenorth", "no image file"):
        assert part in text
    assert "floor" not in text
    assert "cameraunknown" in Tags(page_of(path="moved/away.png")).text
    assert "the image file is gone" in page_of(path="moved/away.png")
    assert "Nobody was found" in cards(Found(np.zeros((8, 4, 3), "uint8")))


def test_a_model_without_correspondences_has_no_button_for_them():
    found = Found(np.zeros((8, 4, 3), "uint8"), (Match("key", 0.5, 0.5),))
    assert 'data-action="select"' in cards(found) and 'data-action="delete"' in cards(found)
    assert "Correspondences" not in cards(found, places=False) and 'data-action="delete"' in cards(found, places=False)


def test_long_text_is_cut():
    assert len(page_of(fields={"note": "x" * 4000})) < 2000
    assert said("") == "" and 'role="alert"' in said("no", wrong=True)

import tomllib
from dataclasses import asdict

import numpy as np
import pytest

from keras_reid import zoo
from keras_reid.zoo.toml_text import toml_text


def test_cards_come_back_equal():
    for name in zoo.list():
        content = {key: value for key, value in asdict(zoo.card(name)).items() if key != "name"}
        assert tomllib.loads(toml_text(content)) == content


def test_what_needs_escaping_comes_back_equal():
    content = {
        'a "key" with.dot': 'quotes " \\ \n\t \x7f \x00 → é',
        "numbers": [1, -2.5, 1e-7, float("inf"), True],
        "tables": [{"sha256": {"model.keras": "ab", "empty": {}}}, {"x": []}],
        "nothing": [],
    }
    assert tomllib.loads(toml_text(content)) == content
    assert tomllib.loads(toml_text({"size": (64, 32)})) == {"size": [64, 32]}
    measured = {"rank1": np.float64(0.5), "rows": np.int64(3), "exact": np.bool_(True)}
    assert tomllib.loads(toml_text(measured)) == {"rank1": 0.5, "rows": 3, "exact": True}


def test_what_toml_does_not_hold():
    with pytest.raises(TypeError, match="TOML holds strings, numbers, .* Received: None"):
        toml_text({"margin": None})

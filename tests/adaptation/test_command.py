"""`keras-reid adapt` as a stranger types it; what it runs is tested beside it."""

import pytest

from keras_reid import cli

TYPED = (
    "adapt dcml_tiny --source synthetic --source-option site=A --target synthetic --target-option site=B --out runs/ab "
    "--rounds 2 --closest-share 0.01 --no-center-cameras --seed 3"
)


@pytest.fixture
def asked(monkeypatch):
    found = {}
    monkeypatch.setattr("keras_reid.adaptation.run.run", lambda *names, **given: found.update(given, name=names[0]))
    return found


def test_what_is_typed_is_run_and_the_rest_is_the_recipes(small_synthetic, asked, capsys):
    assert cli.main(TYPED.split()) == 0
    assert "are in runs/ab" in capsys.readouterr().out
    sites = [asked.pop(side).name for side in ("source", "target")]
    assert ["A" in sites[0], "B" in sites[1]] == [True, True]
    typed = {"name": "dcml_tiny", "rounds": 2, "closest_share": 0.01, "center_cameras": False, "seed": 3}
    recipes = dict.fromkeys(("weights", "eps", "credibility", "source_epochs"))
    assert asked == {**typed, **recipes, "out": "runs/ab", "resume": False}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--source-option", "site"], "An option of a reader is key=value. Received: 'site'"),
        (["--style-transfer", "nothing.keras"], "nothing.keras"),
    ],
)
def test_what_is_wrong_is_said(small_synthetic, asked, capsys, words, sentence):
    assert cli.main([*TYPED.split(), *words]) == 2
    assert sentence in capsys.readouterr().err
    assert asked == {}


def test_a_network_that_knows_nothing_is_refused(small_synthetic, capsys):
    assert cli.main(["adapt", "dcml_tiny", "--target", "synthetic", "--out", "runs/b"]) == 2
    assert "The network knows nothing of persons yet: give a source" in capsys.readouterr().err

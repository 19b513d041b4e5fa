"""The cards: whole, true to the result files, in the wheel."""

import json
import re
import tomllib
from pathlib import Path

import pytest

import keras_reid
from keras_reid import zoo
from keras_reid.zoo import cards

ROOT = Path(__file__).parents[2]


def test_every_card_is_whole_and_its_recipe_can_be_built():
    for name in zoo.list():
        card = zoo.card(name)
        assert card.name == name
        assert hasattr(keras_reid.methods, card.method)
        assert tuple(card.input["size"]) == tuple(card.constructor["image_size"])
        assert all([card.title, card.summary, card.limits, card.licence, card.our_choices, card.weights["status"]])
        assert "Not for deciding about people" in card.limits
        text = str(card)
        assert card.name in text and card.title in text and card.bibtex in text
        zoo.recipe(name).make_optimizer()


def test_the_citation_is_bibtex():
    assert zoo.card("qaconv_gs_r50").bibtex.splitlines() == [
        "@inproceedings{liao2022graph,",
        "  title = {{Graph Sampling Based Deep Metric Learning for Generalizable Person Re-Identification}},",
        "  author = {S. Liao and L. Shao},",
        "  booktitle = {CVPR},",
        "  year = {2022},",
        "}",
    ]
    assert zoo.card("gmn_r50").bibtex.startswith("@misc{qi2023generalizable,")
    for name in zoo.list():
        assert re.search(r"  year = \{20\d\d\},", zoo.card(name).bibtex)


def measured(row) -> dict[str, float]:
    """The numbers of a card's row as its result file holds them: by paths of keys, or by table, row and columns."""
    record = json.loads((ROOT / row["source"].split()[0]).read_text(encoding="utf-8"))
    at = row["at"]
    if "table" not in at:
        return {name: _descend(record, at[name]) for name in ("rank1", "mean_ap")}
    table = next(table for table in record["tables"] if table["title"] == at["table"])
    cells = next(dict(zip(table["header"], cells, strict=True)) for cells in table["rows"] if cells[0] == at["row"])
    return {name: float(cells[at[name]].split()[0]) for name in ("rank1", "mean_ap")}


def _descend(record, path):
    for key in path.split("/"):
        record = record[key]
    return record


def test_our_numbers_are_those_of_the_result_files():
    rows = [(name, row) for name in zoo.list() for row in zoo.card(name).our_results]
    assert rows
    for name, row in rows:
        for key, value in measured(row).items():
            assert abs(row[key] - value) < 0.0501, f"{name}.toml says {key} {row[key]}, {row['source']} says {value}."


def test_the_wheel_takes_the_cards_along():
    with (ROOT / "pyproject.toml").open("rb") as stream:
        wheel = tomllib.load(stream)["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["force-include"]["zoo"] == "keras_reid/cards"


def test_unknown_name(tmp_path):
    with pytest.raises(ValueError, match=r"Unknown zoo entry 'baseline_r5'\. Did you mean 'baseline_r50'"):
        zoo.load("baseline_r5")
    with pytest.raises(ValueError, match="holds no card.toml, so keras_reid.zoo.save did not write it"):
        zoo.card(tmp_path)


def test_cards_that_lack_something(tmp_path, monkeypatch):
    (tmp_path / "broken.toml").write_text('method = "Baseline"\n')
    text = (ROOT / "zoo" / "baseline_r50.toml").read_text(encoding="utf-8")
    (tmp_path / "numbers.toml").write_text(text.replace("mean_ap = 85.9\n", ""), encoding="utf-8")
    monkeypatch.setattr(cards, "cards_folder", lambda: tmp_path)
    with pytest.raises(ValueError, match=r"The card broken.toml must have the entries .* Missing: .*'recipe'"):
        zoo.card("broken")
    with pytest.raises(ValueError, match=r"Every result on the card numbers.toml must have .* Missing: \['mean_ap'\]"):
        zoo.card("numbers")

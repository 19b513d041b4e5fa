"""zoo/README.md and the site's page say what the cards say."""

import importlib.util
from pathlib import Path

import pytest

from keras_reid import zoo

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def zoo_page():
    spec = importlib.util.spec_from_file_location("zoo_page", ROOT / "docs" / "zoo_page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_readme_is_written_from_the_cards(zoo_page):
    written = zoo_page.README.read_text(encoding="utf-8")
    assert written == zoo_page.readme(), "Run `python -m docs.zoo_page`; it writes zoo/README.md anew."


def test_every_entry_of_every_card_is_on_the_page(zoo_page):
    text = zoo_page.cards_as_markdown()
    for name in zoo.list():
        card = zoo.card(name)
        section = text.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        said = [card.summary, card.limits, card.licence, card.weights["status"], card.bibtex, *card.our_choices]
        said += [f"| {row['rank1']} | {row['mean_ap']} |" for row in (*card.paper_results, *card.our_results)]
        said += [str(value) for value in (*card.constructor.values(), *card.input.values())]
        said += [*card.recipe.get("groups", ()), *(transform["name"] for transform in card.recipe["transforms"])]
        assert [one for one in said if one not in section] == []

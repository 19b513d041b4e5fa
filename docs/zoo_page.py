"""Writes the zoo's page of the site and zoo/README.md from the cards, so that they cannot say anything else.

    python -m docs.zoo_page    # writes zoo/README.md anew; a test compares

MkDocs calls `on_page_markdown`.
"""

import json
from pathlib import Path

from keras_reid import zoo

MARKER = "<!-- cards -->"
ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "zoo" / "README.md"
TABLE = ROOT / "benchmarks" / "results" / "zoo_table.json"

_INTRODUCTION = """# Zoo

<!-- written by `python -m docs.zoo_page`; do not edit -->

One card per entry, in TOML: constructor, input contract, recipe, the paper's numbers and ours side by side, what is our
choice, limits. `keras_reid.zoo.load(name)` builds an entry; `docs/zoo.md` says where weights come from.

"""


def on_page_markdown(markdown: str, page, **kwargs) -> str:
    """Puts the table and the cards where the marker stands."""
    return markdown.replace(MARKER, cards_as_markdown()) if page.file.src_uri == "zoo.md" else markdown


def cards_as_markdown() -> str:
    """Returns the table of all entries, then each card."""
    cards = [zoo.card(name) for name in zoo.list()]
    tried = json.loads(TABLE.read_text(encoding="utf-8"))["cells"] if TABLE.exists() else {}
    rows = ["| entry | what | parameters | loads, trains a step, comes back equal | weights |", "|---|---|---|---|---|"]
    rows += [
        f"| [`{card.name}`](#{card.name}) | {card.title} | {_tried(tried.get(card.name))} | {card.weights['status']} |"
        for card in cards
    ]
    return "\n".join(rows) + "\n\n" + "\n\n".join(map(_card, cards))


def _tried(cell) -> str:
    """Two columns of an entry's row, from the result file of benchmarks/zoo_table.py."""
    if cell is None:
        return "| not tried"
    return f"{cell['parameters'] / 1e6:.1f} M | {'yes' if cell['largest_difference'] <= 1e-6 else 'no'}"


def _card(card: zoo.Card) -> str:
    lines = [f"## {card.name}", "", card.summary, ""]
    arguments = ", ".join(f"{key}={value!r}" for key, value in card.constructor.items())
    recipe = card.recipe
    lines += ["| | |", "|---|---|", f"| method | `{card.method}({arguments})` |"]
    lines += [f"| {key} | {value} |" for key, value in card.input.items()]
    lines += [
        f'| paper | {card.paper["authors"]}, "{card.paper["title"]}", {card.paper["venue"]} |',
        f"| recipe | {recipe['epochs']} epochs, batches by {_options(recipe['sampler'])} |",
        f"| augmentation | {'; '.join(map(_options, recipe['transforms']))} |",
        f"| optimiser | {_options(recipe['optimizer'])} |",
        *(f"| optimiser of {name} | {_group(group)} |" for name, group in recipe.get("groups", {}).items()),
        f"| schedule | {_values(recipe.get('schedule', {})) or 'constant'} |",
        f"| weights | {card.weights['status']} |",
        f"| licence | {card.licence} |",
        "",
    ]
    lines += _results("The paper's numbers", card.paper_results) + _results("Our numbers", card.our_results)
    lines += [f"**Our choice.** {choice}\n" for choice in card.our_choices]
    return "\n".join([*lines, f"**Limits.** {card.limits}", "", "```bibtex", card.bibtex, "```"])


def _options(described) -> str:
    """``name (option value, ...)`` of a sampler, a transform or an optimiser."""
    options = _values({key: value for key, value in described.items() if key != "name"})
    return described["name"] + (f" ({options})" if options else "")


def _group(group) -> str:
    """How an optimiser group differs from the recipe's optimiser."""
    own = _options(group["optimizer"]) if "optimizer" in group else "the same"
    return own + (f", rate x {group['multiplier']}" if "multiplier" in group else "")


def _values(options) -> str:
    return ", ".join(f"{key} {value}" for key, value in options.items())


def _results(title: str, results) -> list[str]:
    if not results:
        return [f"{title}: none.", ""]
    lines = [f"{title}:", "", "| trained on | tested on | Rank-1 | mAP | source |", "|---|---|---|---|---|"]
    lines += [
        f"| {row['train']} | {row['test']} | {row['rank1']} | {row['mean_ap']} | {row['source']} |" for row in results
    ]
    return [*lines, ""]


def readme() -> str:
    """Returns what zoo/README.md must be."""
    return _INTRODUCTION + cards_as_markdown() + "\n"


if __name__ == "__main__":
    README.write_text(readme(), encoding="utf-8")

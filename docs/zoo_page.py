"""MkDocs hook: writes the zoo's page from the cards, so that it cannot say anything else."""

from keras_reid import zoo

MARKER = "<!-- cards -->"


def on_page_markdown(markdown: str, page, **kwargs) -> str:
    """Puts the table and the cards where the marker stands."""
    return markdown.replace(MARKER, cards_as_markdown()) if page.file.src_uri == "zoo.md" else markdown


def cards_as_markdown() -> str:
    """Returns the table of all entries, then each card."""
    names = zoo.list()
    rows = ["| entry | what | weights |", "|---|---|---|"]
    rows += [f"| [`{name}`](#{name}) | {zoo.card(name).title} | {zoo.card(name).weights['status']} |" for name in names]
    return "\n".join(rows) + "\n\n" + "\n\n".join(_card(zoo.card(name)) for name in names)


def _card(card: zoo.Card) -> str:
    lines = [f"## {card.name} {{ #{card.name} }}", "", card.summary, ""]
    arguments = ", ".join(f"{key}={value!r}" for key, value in card.constructor.items())
    lines += ["| | |", "|---|---|", f"| method | `{card.method}({arguments})` |"]
    lines += [f"| {key} | {value} |" for key, value in card.input.items()]
    lines += [
        f'| paper | {card.paper["authors"]}, "{card.paper["title"]}", {card.paper["venue"]} |',
        f"| epochs | {card.recipe['epochs']} |",
        f"| weights | {card.weights['status']} |",
        f"| licence | {card.licence} |",
        "",
    ]
    lines += _results("The paper's numbers", card.paper_results) + _results("Our numbers", card.our_results)
    lines += [f"**Our choice.** {choice}\n" for choice in card.our_choices]
    return "\n".join([*lines, f"**Limits.** {card.limits}"])


def _results(title: str, results) -> list[str]:
    if not results:
        return [f"{title}: none.", ""]
    lines = [f"{title}:", "", "| trained on | tested on | Rank-1 | mAP | source |", "|---|---|---|---|---|"]
    lines += [
        f"| {row['train']} | {row['test']} | {row['rank1']} | {row['mean_ap']} | {row['source']} |" for row in results
    ]
    return [*lines, ""]

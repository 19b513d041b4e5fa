"""MkDocs hook: puts the tables of a claim's result file where a page asks for them by `<!-- claims: name -->`."""

import json
import re
from pathlib import Path

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"
MARKER = re.compile(r"<!-- claims: (\w+) -->")


def on_page_markdown(markdown: str, **kwargs) -> str:
    """Replaces every marker; a result file that is missing is an error."""
    return MARKER.sub(lambda match: tables_as_markdown(match[1]), markdown)


def tables_as_markdown(name: str) -> str:
    """Returns all tables of ``benchmarks/results/<name>.json``."""
    record = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return "\n\n".join(_table(**table) for table in record["tables"])


def _table(title: str, header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return f"**{title}**\n\n" + "\n".join("| " + " | ".join(line) + " |" for line in lines)

"""Runs the Python code of a Markdown page, block after block, as a reader would."""

import re
from pathlib import Path

_BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)


def python_blocks(page: Path) -> list[tuple[int, str]]:
    """The page's Python blocks, each with the line it begins at."""
    text = page.read_text(encoding="utf-8")
    return [(text.count("\n", 0, match.start(1)) + 1, match[1]) for match in _BLOCK.finditer(text)]


def run_blocks(page: Path) -> dict:
    """Runs every block in one namespace; an error names the page's own line."""
    namespace: dict = {"__name__": "page"}
    for line, code in python_blocks(page):
        exec(compile("\n" * (line - 1) + code, str(page), "exec"), namespace)
    return namespace

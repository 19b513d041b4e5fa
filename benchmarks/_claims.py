"""What the claim tables share: cells that are kept as they are measured, means with their spread, tables for the site.

A claim script measures cells (one training and its tests), each under a key, and may be stopped at any time; run
again, it goes on with the cells that are missing. Several processes may fill one file, each with cells of its own. The
tables in the result file are made anew after every cell, and the site shows them as they are (`docs/claims_page.py`).
"""

import fcntl
import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from _measure import RESULTS, write_result


class Cells:
    """The cells of ``results/<name>.json``.

    Args:
        name: Name of the result file.
        settings: What all cells share; a file of other settings is refused.
        tables: Callable (cells by key) -> list of tables, each made by `table`.
    """

    def __init__(self, name: str, settings: Mapping[str, Any], tables: Callable[[dict], list[dict]]):
        self.name, self.settings, self.tables = name, json.loads(json.dumps(settings)), tables
        self.values: dict[str, dict] = self._kept()

    def add(self, key: str, cell: Mapping[str, Any]) -> None:
        """Keeps a cell: the file is written anew, with what other processes added meanwhile."""
        self._write({key: dict(cell)})

    def close(self) -> None:
        """Makes the tables anew: cells that are all there already are shown as the script shows them now."""
        self._write({})

    def _write(self, new: dict[str, dict]) -> None:
        with (RESULTS / f".{self.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.values = {**self._kept(), **new}
            content = {"settings": self.settings, "tables": self.tables(self.values), "cells": self.values}
            write_result(self.name, content)

    def _kept(self) -> dict[str, dict]:
        path = RESULTS / f"{self.name}.json"
        kept = json.loads(path.read_text()) if path.exists() else {"settings": self.settings, "cells": {}}
        if kept["settings"] != self.settings:
            raise SystemExit(
                f"{path} was made with other settings: {kept['settings']}. Move it away, or choose another --out."
            )
        return kept["cells"]


def spread(values: Sequence[float]) -> str:
    """Mean and standard deviation as the tables print them: ``31.4 ± 2.1 (3)``, with their number."""
    deviation = f" ± {statistics.stdev(values):.1f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.1f}{deviation} ({len(values)})"


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> dict:
    """A table as the result file holds it."""
    return {"title": title, "header": list(header), "rows": [list(row) for row in rows]}

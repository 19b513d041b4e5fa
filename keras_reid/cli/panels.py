"""The folder that `keras-reid rank` writes: a page, a panel per query, and the ranks as a table."""

import csv
import os
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

__all__ = ["Found", "check_new_folder", "write_panels"]


@dataclass(frozen=True)
class Found:
    """What was found for a query.

    Attributes:
        query: The query's path.
        results: Path and score of what was found, best first.
    """

    query: str
    results: tuple[tuple[str, Any], ...]

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values for JSON."""
        results = [
            {"rank": rank, "path": path, "score": float(str(score))}
            for rank, (path, score) in enumerate(self.results, start=1)
        ]
        return {"query": self.query, "results": results}


def check_new_folder(path: str | os.PathLike[str]) -> Path:
    """Returns the path if it can become a new folder: nothing is overwritten.

    Args:
        path: The folder.

    Returns:
        The path.

    Raises:
        ValueError: It is a file, or holds files already.
    """
    folder = Path(path).expanduser()
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file. Give a folder.")
    if folder.is_dir() and any(folder.iterdir()):
        raise ValueError(f"{folder} already holds files. Give another folder, or remove it.")
    return folder


def write_panels(
    folder: Path, found: Sequence[Found], said: str, progress: Callable[[int, int], None] | None = None
) -> None:
    """Writes ``index.html``, ``ranks.csv`` and a PNG panel per query; the folder appears when all of it is there.

    Args:
        folder: As `check_new_folder` returned it.
        found: The queries and what was found.
        said: What made the ranks, for the page.
        progress: Called with how many panels are drawn, and of how many.
    """
    from keras_reid.visualize import ranked_panel
    from keras_reid.visualize.style import figure_png

    folder = folder.resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as temporary:
        part = Path(temporary) / folder.name
        part.mkdir()
        sections = []
        for number, one in enumerate(found, start=1):
            stem = re.sub(r"[^\w.-]", "_", Path(one.query).stem)[:80]
            name = f"{number:04d}_{stem}.png"
            figure = ranked_panel([_row(one)], top_k=max(len(one.results), 1))
            (part / name).write_bytes(figure_png(figure, dpi=120))
            sections.append(_section(one, name))
            if progress is not None:
                progress(number, len(found))
        _write_table(part / "ranks.csv", found)
        (part / "index.html").write_text(_page(sections, said), encoding="utf-8")
        if folder.exists():  # empty; not every system renames over it
            folder.rmdir()
        part.rename(folder)


def _row(one: Found) -> Any:
    from keras_reid.visualize import PanelImage, PanelRow

    results = tuple(PanelImage(path, f"{score:.3f}") for path, score in one.results)
    title = Path(one.query).name.replace("$", r"\$")  # matplotlib would read a formula between two of them
    return PanelRow(PanelImage(one.query, "query"), results, title)


def _write_table(path: Path, found: Sequence[Found]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        lines = csv.writer(stream)
        lines.writerow(["query", "rank", "path", "score"])
        for one in found:
            lines.writerows(
                [one.query, rank, result, str(score)] for rank, (result, score) in enumerate(one.results, start=1)
            )


def _section(one: Found, panel: str) -> str:
    lines = "".join(
        f'<tr><td class="number">{rank}</td><td>{escape(path)}</td><td class="number">{score:.6g}</td></tr>'
        for rank, (path, score) in enumerate(one.results, start=1)
    )
    name = escape(Path(one.query).name)
    return (
        f'<section>\n<figure class="wide"><a href="{quote(panel)}"><img src="{quote(panel)}" '
        f'alt="{name} and what was found for it" loading="lazy" style="width: auto; max-width: 100%"></a></figure>\n'
        f'<details><summary>Files and scores</summary>\n<p class="caption">Query: {escape(one.query)}</p>\n'
        '<div class="wide"><table><thead><tr><th class="number">rank</th><th>file</th><th class="number">score</th>'
        f"</tr></thead>\n<tbody>{lines}</tbody></table></div></details>\n</section>"
    )


def _page(sections: Sequence[str], said: str) -> str:
    style = resources.files("keras_reid.visualize").joinpath("page.css").read_text("utf-8")
    count = f"{len(sections)} {'query' if len(sections) == 1 else 'queries'}"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Ranked images: {count}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n"
        f'<header>\n<p class="kicker">Ranked images</p>\n<h1>{count}</h1>\n<p class="sub">{escape(said)}</p>\n'
        "<p>Left the query, then the gallery from the most similar on; below is the score, higher is closer. "
        "Nobody knows here who is who: what comes first is a suggestion. An image is not found in its own file. "
        'All ranks are in <a href="ranks.csv">ranks.csv</a>.</p>\n</header>\n'
        + "\n".join(sections)
        + "\n<footer>Made by keras_reid. The page loads nothing but the panels beside it.</footer>\n"
        "</main>\n</body>\n</html>\n"
    )

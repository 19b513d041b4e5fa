"""One HTML file that tells how well a model finds people: numbers, curves, rankings, provenance."""

import os
from collections.abc import Callable, Mapping, Sequence
from html import escape
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_reid.visualize.curves import cmc_curve, history_parts, training_curves
from keras_reid.visualize.html_matches import MATCHES_MEANING, can_explain, what_matched
from keras_reid.visualize.images import data_uri, jpeg_bytes, thumbnail
from keras_reid.visualize.panel import PanelImage, PanelRow
from keras_reid.visualize.style import figure_png

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from keras_reid.evaluation.report import Report

__all__ = ["write_html"]

# Shown in this order; the hard ones first, as they are what a reader can learn from.
_CHOICES = {
    "hardest": "the lowest average precision",
    "random": "what an ordinary query looks like",
    "easiest": "the highest average precision",
}


def write_html(
    path: str | os.PathLike[str],
    title: str,
    reports: "Mapping[str, Report]",
    history: Any = None,
    notes: Sequence[str] = (),
    *,
    count: int = 4,
    model: Any = None,
) -> Path:
    """Writes reports as one page that needs no network: pictures and style are inside.

    Args:
        path: The file to write; its folder is made if need be.
        title: The page's heading.
        reports: Label -> report of ``keras_reid.evaluate``, e.g. ``{"A to B": report}``.
        history: What ``fit`` returned, its dict, or a CSV log, for the training curves.
        notes: Sentences to print below the summary.
        count: Queries shown per choice (hardest, random, easiest) and report.
        model: The model that made the reports. If it compares images location by location, as
            `keras_reid.methods.QAConv` does, each query shown gets a picture of what matched in its first
            right and its first wrong result.

    Returns:
        The path of the page.

    Raises:
        ValueError: There is no report.

    Example:
        >>> from keras_reid.visualize import write_html
        >>> write_html("report.html", "Nothing", {})
        Traceback (most recent call last):
            ...
        ValueError: `reports` must hold at least one report. Received an empty mapping.

    Note:
        The page holds small copies of the images shown. Where the data set's terms forbid passing
        images on, that holds for the page, too.
    """
    if not reports:
        raise ValueError("`reports` must hold at least one report. Received an empty mapping.")
    style = resources.files("keras_reid.visualize").joinpath("page.css").read_text("utf-8")
    body = [
        _header(title, reports),
        _summary(reports, notes),
        _charts(reports, history),
        *(_rankings(label, report, count, model) for label, report in reports.items()),
        _skipped(reports),
        _reading(reports, can_explain(model)),
        _provenance(reports),
    ]
    page = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(part for part in body if part)
        + "\n<footer>Made by keras_reid. This page is one file and loads nothing.</footer>\n"
        "</main>\n</body>\n</html>\n"
    )
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(page, encoding="utf-8")
    return target


def _header(title: str, reports: "Mapping[str, Report]") -> str:
    """Returns the heading with the model and the date."""
    said = [report.provenance for report in reports.values()]
    parts = [
        ", ".join(dict.fromkeys(str(each[key]) for each in said if each.get(key) is not None))
        for key in ("model", "date")
    ]
    below = " \N{MIDDLE DOT} ".join(escape(part) for part in parts if part)
    return (
        '<header>\n<p class="kicker">Retrieval report</p>\n'
        f'<h1>{escape(title)}</h1>\n<p class="sub">{below}</p>\n</header>'
    )


def _summary(reports: "Mapping[str, Report]", notes: Sequence[str]) -> str:
    """Returns the table of numbers, one line per report, and the notes."""
    heads = ("rank-1", "rank-5", "rank-10", "mAP", "mINP", "queries", "skipped")
    lines = []
    for label, report in reports.items():
        names = [name if k <= len(report.cmc) else None for k, name in ((1, "rank1"), (5, "rank5"), (10, "rank10"))]
        cells = [_value(report, name) for name in (*names, "mean_ap", "mean_inp")]
        cells += [f"{report.metrics.valid_queries:,}", f"{report.skipped_queries:,}"]
        numbers = "".join(
            f'<td class="number{" key" if head in ("rank-1", "mAP") else ""}">{cell}</td>'
            for head, cell in zip(heads, cells, strict=True)
        )
        below = [] if report.dataset == label else [f"on {report.dataset}"]
        below += [f"after {', '.join(report.post_process)}"] if report.post_process else []
        below += [f"mean of {len(report.trials)} trials ± standard deviation"] if len(report.trials) > 1 else []
        said = f'<br><span class="caption">{escape("; ".join(below))}</span>' if below else ""
        lines.append(f'<tr><th scope="row">{escape(label)}{said}</th>{numbers}</tr>')
    head = "".join(f'<th scope="col" class="number">{name}</th>' for name in heads)
    said = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return (
        '<section>\n<div class="wide"><table>\n<thead><tr><th scope="col">evaluation</th>'
        f"{head}</tr></thead>\n<tbody>\n"
        + "\n".join(lines)
        + '\n</tbody></table></div>\n<p class="caption">Ranks, mAP and mINP in per cent.</p>'
        + (f"\n<ul>{said}</ul>" if said else "")
        + "\n</section>"
    )


def _charts(reports: "Mapping[str, Report]", history: Any) -> str:
    """Returns the curves, each drawn for light and for dark pages."""
    drawn = [_chart("Share of queries matched by rank", cmc_curve, reports)]
    # One picture each, so that a phone can show them below one another.
    parts = {} if history is None else history_parts(history)
    drawn += [_chart(f"{name} over the epochs", training_curves, part) for name, part in parts.items()]
    return f'<section>\n<h2>Curves</h2>\n<div class="charts">\n{"".join(drawn)}</div>\n</section>'


def _chart(name: str, draw: Callable[..., "Figure"], data: Any) -> str:
    """Draws one chart in both themes; the browser takes the one that fits."""
    light, dark = (data_uri("image/png", figure_png(draw(data, theme=theme), dpi=200)) for theme in ("light", "dark"))
    return (
        f'<figure><picture><source srcset="{dark}" media="(prefers-color-scheme: dark)">'
        f'<img src="{light}" alt="{escape(name)}"></picture></figure>\n'
    )


def _rankings(label: str, report: "Report", count: int, model: Any) -> str:
    """Returns the hardest, some random, and the easiest queries of one report."""
    if not report.metrics.valid_queries or report.metrics.top_indices is None:
        return ""
    groups = []
    for choice, meaning in _CHOICES.items():
        rows = "\n".join(
            _query(row) + (what_matched(model, row, opened=number == 0) if can_explain(model) else "")
            for number, row in enumerate(report.panel_rows(choice, count=count))
        )
        groups.append(
            f"<details{'' if choice == 'easiest' else ' open'}><summary>{choice.capitalize()} "
            f"queries<span>{meaning}</span></summary>\n{rows}\n</details>"
        )
    return f"<section>\n<h2>Rankings: {escape(label)}</h2>\n" + "\n".join(groups) + "\n</section>"


def _query(row: PanelRow) -> str:
    """Returns one query with its results."""
    results = "".join(_person(image, f"rank {k}") for k, image in enumerate(row.results, start=1))
    return (
        f'<div class="query"><p>{escape(row.title)}</p><div class="ranking">'
        f'<div>{_person(row.query, "query")}</div><div class="results">{results}</div></div></div>'
    )


def _person(image: PanelImage, role: str) -> str:
    """Returns one picture with its caption; the mark says in black and white what the frame says."""
    kind, mark, said = {
        True: ("person match", "\N{CHECK MARK} ", ", right person"),
        False: ("person mismatch", "\N{MULTIPLICATION X} ", ", other person"),
        None: ("person", "", ""),
    }[image.match]
    source = data_uri("image/jpeg", jpeg_bytes(thumbnail(image.path)))
    caption = escape(image.caption).replace(" \N{MIDDLE DOT} ", "<br>")
    return (
        f'<figure class="{kind}"><img src="{source}" alt="{role}{said}" '
        f'title="{escape(Path(image.path).name)}"><figcaption>{mark}{caption}</figcaption></figure>'
    )


def _skipped(reports: "Mapping[str, Report]") -> str:
    """Returns who was looked for in vain, and why, or nothing if every query counted."""
    parts = []
    for label, report in reports.items():
        lines = "".join(f"<li>{escape(sentence)}</li>" for sentence in report.skipped_sentences())
        if lines:
            parts.append(f"<h3>{escape(label)}</h3>\n<ul>{lines}</ul>\n")
    if not parts:
        return ""
    return (
        "<section>\n<h2>Skipped queries</h2>\n<p>A query without a match in the gallery cannot be found by any model, "
        f"so it counts neither for nor against.</p>\n{''.join(parts)}</section>"
    )


def _reading(reports: "Mapping[str, Report]", explained: bool) -> str:
    """Returns what the numbers mean, in one sentence each."""
    conventions = {report.metrics.ap for report in reports.values()}
    step = "the mean of the precision at each match" if conventions == {"step"} else (
        "the area under precision over recall"
    )  # fmt: skip
    terms = {
        "rank-k": "Share of queries with at least one right image among the first k.",
        "mAP": f"Average precision ({step}), averaged over the queries. Rewards finding every "
        "image of the person, and early.",
        "mINP": "How far down the last right image stands: number of right images over the rank of "
        "the last one, averaged. The cost of finding them all.",
        "Rankings": "Left the query, then the gallery from the most similar on. Green with a check "
        "mark is the same person, red with a cross another one; below are the similarity and the "
        "camera.",
        "What matched": MATCHES_MEANING if explained else "",
        "Left out": "Taken out of each ranking, as it would count neither way: "
        + "; ".join(dict.fromkeys(report.left_out for report in reports.values()))
        + ".",
    }
    items = "".join(f"<dt>{term}</dt><dd>{escape(text)}</dd>" for term, text in terms.items() if text)
    return f"<section>\n<h2>How to read this</h2>\n<dl>{items}</dl>\n</section>"


def _provenance(reports: "Mapping[str, Report]") -> str:
    """Returns what made the numbers; where all reports agree, the value stands once."""
    columns = list(reports.values())
    lines, agree = [], True
    for key in dict.fromkeys(key for report in columns for key in report.provenance):
        values = [_plain(key, report.provenance.get(key)) for report in columns]
        same = len(set(values)) == 1
        agree = agree and same
        shown = values[:1] if same else values
        cells = "".join(f'<td colspan="{len(values) if same else 1}">{escape(value)}</td>' for value in shown)
        lines.append(f'<tr><th scope="row">{escape(key)}</th>{cells}</tr>')
    head = "" if agree else "".join(f'<th scope="col">{escape(label)}</th>' for label in reports)
    return (
        '<section>\n<h2>Provenance</h2>\n<div class="wide"><table class="provenance">\n'
        + (f"<thead><tr><th></th>{head}</tr></thead>\n" if head else "")
        + "<tbody>\n"
        + "\n".join(lines)
        + "\n</tbody></table></div>\n</section>"
    )


def _plain(key: str, value: object) -> str:
    """Writes a value of the provenance for people."""
    if value is None:
        return "not given"
    if isinstance(value, list):
        return f"{len(value)}: {', '.join(map(str, value[:5]))}{', ...' if len(value) > 5 else ''}"
    return f"{value:,}" if key == "parameters" else str(value)


def _value(report: "Report", metric: str | None) -> str:
    """Writes one number of a report, with its spread over the trials below it if there are several."""
    if metric is None:
        return _percent(None)
    spread = f'<br><span class="caption">±{_percent(report.spread(metric))}</span>' if len(report.trials) > 1 else ""
    return _percent(report.value(metric)) + spread


def _percent(value: float | None) -> str:
    """Writes a share in per cent; a dash where it does not exist."""
    return "\N{EN DASH}" if value is None or np.isnan(value) else f"{100 * value:.1f}"

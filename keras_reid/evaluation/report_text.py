"""A report as text for the terminal: the numbers, what they are over, and what made them."""

from typing import TYPE_CHECKING

import numpy as np

from keras_reid.evaluation.statistics import metric_title

if TYPE_CHECKING:
    from keras_reid.evaluation.report import Report

__all__ = ["counted_sentence", "report_text", "trials_sentence"]


def report_text(report: "Report") -> str:
    """Returns what ``print(report)`` shows.

    Args:
        report: The report.

    Returns:
        Several lines, without a final line break.

    Example:
        See ``Report``, whose ``__str__`` calls it.
    """
    metrics = report.metrics
    names = [*(f"rank{k}" for k in (1, 5, 10) if k <= len(report.cmc)), "mean_ap", "mean_inp"]
    made = ", ".join(str(report.provenance[k]) for k in ("zoo entry", "model", "date") if k in report.provenance)
    lines = [
        f"{report.dataset} (protocol {metrics.protocol}, {metrics.ap} AP)",
        f"after: {', '.join(report.post_process)}" if report.post_process else "",
        "  ".join(f"{metric_title(name):>7}" for name in names),
        "  ".join(_percent(report.value(name)) for name in names),
        "  ".join(_percent(report.spread(name), "±") for name in names) if len(report.trials) > 1 else "",
        trials_sentence(report),
        counted_sentence(report),
        *report.skipped_sentences(),
        made,
    ]
    return "\n".join(line for line in lines if line)


def trials_sentence(report: "Report") -> str:
    """Says over how many galleries the numbers are means; empty if there was one.

    Args:
        report: The report.

    Returns:
        One sentence.

    Example:
        See ``Report``, whose ``__str__`` calls it.
    """
    if not report.trials:
        return ""
    count = len(report.trials)
    if count == 1:
        return "One trial."
    return f"Mean of {count} trials, each with its own gallery; ± is the standard deviation over the trials."


def counted_sentence(report: "Report") -> str:
    """Says how many queries and gallery images the numbers are over.

    Args:
        report: The report.

    Returns:
        Half a sentence, as it stands below the numbers.

    Example:
        See ``Report``, whose ``__str__`` calls it.
    """
    metrics = report.metrics
    sizes = sorted({trial.num_gallery for trial in report.trials} or {metrics.num_gallery})
    gallery = f"{sizes[0]}" if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
    each = " in each trial" if len(report.trials) > 1 else ""
    counted = f"{metrics.valid_queries} of {metrics.num_queries} queries counted, {gallery} gallery images{each}"
    if unreadable := report.provenance.get("skipped_images"):
        counted += f"; {len(unreadable)} unreadable images left out"
    return counted


def _percent(value: float, sign: str = "") -> str:
    return f"{'n/a':>7}" if np.isnan(value) else f"{sign}{100 * value:.1f}%".rjust(7)

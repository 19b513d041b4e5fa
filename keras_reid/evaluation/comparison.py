"""Is one model better than another? The same queries, judged in pairs."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from keras_reid.evaluation.statistics import drawn_means, interval_of, metric_title

if TYPE_CHECKING:
    from keras_reid.evaluation.report import Report

__all__ = ["Comparison", "compare"]


@dataclass(frozen=True)
class Comparison:
    """What ``compare`` returns; printed, it is a text for people.

    Attributes:
        metric: The metric's name.
        first: Its value in the first report.
        second: Its value in the second.
        difference: Second minus first.
        low: Lower end of the difference's interval.
        high: Its upper end.
        level: Share of the draws inside the interval.
        better: Share of the queries for which the second is better.
        worse: Share for which it is worse; the others come out equal.
        contrary: Share of the draws in which the difference was zero or had the other sign. Not a
            probability that the models are equal.
        queries: How many queries counted in both.
        identities: How many identities were drawn from.
        samples: How often they were drawn.

    Example:
        >>> from keras_reid.evaluation import Comparison
        >>> print(Comparison("mean_ap", 0.78, 0.81, 0.03, 0.02, 0.04, 0.95, 0.5, 0.3, 0.0, 3368, 750, 1000))
        mAP: 78.0 % to 81.0 %, difference +3.0 points (95 % interval +2.0 to +4.0)
        Of 3368 queries, 50 % better, 30 % worse, 20 % equal.
        In none of 1000 draws of 750 identities was the difference zero or of the other sign.
        This is about other people before the same cameras, not about another training of either model.
    """

    metric: str
    first: float
    second: float
    difference: float
    low: float
    high: float
    level: float
    better: float
    worse: float
    contrary: float
    queries: int
    identities: int
    samples: int

    def __str__(self) -> str:
        count = round(self.contrary * self.samples)
        equal = 1 - self.better - self.worse
        return (
            f"{metric_title(self.metric)}: {100 * self.first:.1f} % to {100 * self.second:.1f} %, difference "
            f"{100 * self.difference:+.1f} points ({100 * self.level:g} % interval {100 * self.low:+.1f} to "
            f"{100 * self.high:+.1f})\n"
            f"Of {self.queries} queries, {100 * self.better:.0f} % better, {100 * self.worse:.0f} % worse, "
            f"{100 * equal:.0f} % equal.\n"
            f"In {count or 'none'} of {self.samples} draws of {self.identities} identities was the difference zero "
            "or of the other sign.\n"
            "This is about other people before the same cameras, not about another training of either model."
        )


def compare(
    first: "Report",
    second: "Report",
    metric: str = "mean_ap",
    level: float = 0.95,
    samples: int = 1000,
    seed: int = 0,
) -> Comparison:
    """Compares two reports on the same queries and the same gallery, query by query.

    Identities are drawn with replacement, all queries of one together, and with them the difference
    of each query: what is hard for both models cancels, so the interval is narrower than two
    separate ones would suggest. Over several trainings, take ``mean_reports``.

    Args:
        first: Report of one model, or of one set of post-processing steps.
        second: Report of the other.
        metric: ``"mean_ap"``, ``"mean_inp"``, or ``"rank1"``, ``"rank5"``, ...
        level: Share of the draws inside the interval.
        samples: How often to draw.
        seed: Seed of the draws.

    Returns:
        The difference, its interval, and for how many queries the second is better or worse.

    Raises:
        ValueError: The reports are not of the same queries, gallery, trials, protocol and kind of
            average precision, an argument is out of range, or fewer than two identities have a
            counted query.

    Example:
        >>> from keras_reid.evaluation import Report, compare
        >>> baseline, ours = map(Report.from_json, ("a.json", "b.json"))  # doctest: +SKIP
        >>> print(compare(baseline, ours))  # doctest: +SKIP
        mAP: 78.1 % to 81.2 %, difference +3.1 points (95 % interval +2.0 to +4.2)
        ...

    Reference:
        Efron and Tibshirani, "An introduction to the bootstrap", 1993. That identities are drawn, and
        the wording of the result, are our choice.
    """
    _check_same_question(first, second)
    values = first.value(metric), second.value(metric)
    differences = second.values_per_query(metric) - first.values_per_query(metric)
    means, identities = drawn_means(differences, first.query.person_id, samples, seed)
    low, high = interval_of(means, level)
    difference = values[1] - values[0]
    counted = differences[~np.isnan(differences).any(axis=1)].mean(axis=1)
    return Comparison(
        metric=metric,
        first=values[0],
        second=values[1],
        difference=difference,
        low=low,
        high=high,
        level=level,
        better=float((counted > 0).mean()),
        worse=float((counted < 0).mean()),
        contrary=float((means * np.sign(difference) <= 0).mean()),
        queries=len(counted),
        identities=identities,
        samples=samples,
    )


def _check_same_question(first: "Report", second: "Report") -> None:
    """Two reports can be compared in pairs if only the model or the post-processing differs."""
    for split in ("query", "gallery"):
        left, right = getattr(first, split).path, getattr(second, split).path
        if np.array_equal(left, right):
            continue
        if len(left) != len(right):
            found = f"{len(left)} and {len(right)} images"
        else:
            row = int(np.flatnonzero(left != right)[0])
            found = f"{left[row]!r} and {right[row]!r} in row {row}"
        raise ValueError(
            f"Two reports are compared image by image, so their {split} images must be the same, in the same order. "
            f"Received: {found}. Evaluate both models on one data set."
        )
    kinds = [(r.metrics.protocol, r.metrics.ap, len(r.trials)) for r in (first, second)]
    if kinds[0] != kinds[1]:
        raise ValueError(
            "Two reports are compared under one protocol, one kind of average precision and the same trials. "
            f"Received (protocol, ap, trials): {kinds[0]} and {kinds[1]}."
        )

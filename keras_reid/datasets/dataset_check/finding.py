"""One thing that a check found, and how much it matters."""

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["ERROR", "NOTE", "WARNING", "Finding", "finding"]

ERROR, WARNING, NOTE = "error", "warning", "note"
_EXAMPLES = 3


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Attributes:
        code: A short name that stays the same between versions, e.g. `"unreadable_image"`.
        severity: `"error"`: an experiment would fail or mean nothing. `"warning"`: it would be weaker,
            or the data are not what they seem. `"note"`: a fact about good data.
        count: How many cases: images, persons or cameras, as the message says.
        message: One sentence with the numbers.
        examples: The first cases, as text.

    Example:
        >>> from keras_reid.datasets.dataset_check import Finding
        >>> print(Finding("single_image", "warning", 1, "1 of 9 training persons has one image only.", ("7",)))
        warning: 1 of 9 training persons has one image only. E.g. 7. [single_image]
    """

    code: str
    severity: str
    count: int
    message: str
    examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        examples = f" E.g. {', '.join(self.examples)}." if self.examples else ""
        return f"{self.severity}: {self.message}{examples} [{self.code}]"


def finding(code: str, severity: str, message: str, cases: Iterable[object]) -> Finding:
    """Makes a finding of its cases: counts them and keeps the first as examples.

    Args:
        code: As in `Finding`.
        severity: As in `Finding`.
        message: As in `Finding`; `{n}` stands for the number of cases.
        cases: Every case.

    Returns:
        The finding.

    Example:
        >>> from keras_reid.datasets.dataset_check.finding import finding
        >>> finding("missing_image", "error", "Image files that do not exist: {n}.", ["/a.jpg"]).message
        'Image files that do not exist: 1.'
    """
    named = [str(case) for case in cases]
    return Finding(code, severity, len(named), message.format(n=f"{len(named):,}"), tuple(named[:_EXAMPLES]))

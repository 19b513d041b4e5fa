"""One line that counts up while something long goes on."""

import sys
from collections.abc import Callable

__all__ = ["progress_line"]


def progress_line(label: str) -> Callable[[int, int], None]:
    """Returns a callback that shows how much is done, on one line of the terminal.

    Where the output is no terminal (a log, a pipe) it stays silent.

    Args:
        label: What goes on.

    Returns:
        A function of (done, in all).

    Example:
        >>> from keras_reid.progress import progress_line
        >>> progress_line("Drawing")(1, 2)  # a doctest is no terminal
    """
    shown = 0

    def show(done: int, total: int) -> None:
        nonlocal shown
        # Once per percent, whatever the steps are: writing to a terminal is slow.
        percent = 100 * done // total
        if sys.stdout.isatty() and percent != shown:
            shown = percent
            print(f"\r{label} {percent:3d} %", end="\n" if done == total else "", flush=True)

    return show

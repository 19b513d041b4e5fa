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

    def show(done: int, total: int) -> None:
        # Once per percent: writing to a terminal is slow.
        if sys.stdout.isatty() and (done == total or done % max(total // 100, 1) == 0):
            print(f"\r{label} {100 * done // total:3d} %", end="\n" if done == total else "", flush=True)

    return show

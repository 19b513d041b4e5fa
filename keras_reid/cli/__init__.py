"""The `keras-reid` command: `main`, and one module for each group of commands."""

import argparse
import os
import sys
from collections.abc import Sequence

from keras_reid.cli import adapting, cards, data, exporting, galleries, searching, serving, testing, training

__all__ = ["main"]

_EXAMPLES = """examples:
  keras-reid demo
  keras-reid zoo
  keras-reid datasets render people/ --site A
  keras-reid datasets check --data market1501 --root people/
  keras-reid train baseline_tiny --data synthetic --option site=A --out runs/first
  keras-reid train baseline_r50 --root /data/Market-1501-v15.09.15 --weights imagenet --out runs/market
  keras-reid adapt dcml_r50 --source market1501=/data/Market-1501-v15.09.15 --target folder=/data/site --out runs/site
  keras-reid evaluate runs/market --root /data/Market-1501-v15.09.15
  keras-reid rank runs/market person.jpg crops/ --out panels/
  keras-reid gallery enrol people.db --images crops/ --model runs/market --camera 3 --field site=north
  keras-reid gallery search people.db person.jpg --model runs/market --where site=north
  keras-reid serve people.db --model runs/market
"""

# In the order of the help text; each has `add(commands)`.
_GROUPS = (training, testing, searching, galleries, serving, adapting, exporting, cards, data)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
        arguments: What follows ``keras-reid``; the process's own by default.

    Returns:
        The exit status: 0 done, 1 the data have an error (``datasets check``), 2 bad arguments or input, 130
        interrupted.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # must be set before TensorFlow is loaded
    options = _parser().parse_args(arguments)
    try:
        return options.command(options)
    except (ValueError, TypeError, OSError, ImportError, RuntimeError) as error:
        if options.debug:
            raise
        print(f"keras-reid: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as stop:
        advice = " The same command with --resume goes on." if hasattr(options, "resume") else ""
        print(f"\nkeras-reid: {str(stop) or 'interrupted.'}{advice}", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    from keras_reid import __version__

    parser = argparse.ArgumentParser(
        prog="keras-reid",
        description="Person re-identification for Keras 3: train, test and explain.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"keras-reid {__version__}")
    parser.add_argument("--debug", action="store_true", help="show the whole traceback of an error")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    for group in _GROUPS:
        group.add(commands)
    return parser

"""Measures every claim table of the methods' pages anew, or goes on where it was stopped.

    python benchmarks/claims.py                   # all of them; many hours on two cores
    python benchmarks/claims.py --only gmn cmemd
    python benchmarks/claims.py --list            # what there is, and how many cells of each are measured

Each table has a script of its own, whose options change size and seeds; this one runs them as they stand. A cell (one
training and its tests) that a result file holds is not measured again: to measure it anew, move the file away.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from _measure import RESULTS

HERE = Path(__file__).parent
CLAIMS = sorted(path.stem.removeprefix("claims_") for path in HERE.glob("claims_*.py"))

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--only", nargs="+", choices=CLAIMS, default=CLAIMS, help="methods (default: all)")
parser.add_argument("--list", action="store_true", help="measure nothing")


def measured(name: str) -> int:
    """How many cells the result file of a claim holds."""
    path = RESULTS / f"claims_{name}.json"
    return len(json.loads(path.read_text(encoding="utf-8"))["cells"]) if path.exists() else 0


def main() -> int:
    options = parser.parse_args()
    failed = []
    for name in options.only:
        print(f"{name}: {measured(name)} cells measured so far", flush=True)
        if not options.list and subprocess.run([sys.executable, HERE / f"claims_{name}.py"], cwd=HERE).returncode:
            failed.append(name)
    if failed:
        print(f"These stopped with an error: {', '.join(failed)}. What they had measured is kept.", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Cuts the retrieval fixtures out of the collected outputs of the QAConv authors' code.

    python tests/parity/make_retrieval_fixtures.py path/to/qaconv.npz

The outputs were computed by running github.com/ShengcaiLiao/QAConv (HEAD a3db278; trapezoid AP: tag v1.0-eccv)
on random inputs. Re-ranking: 30 queries + 150 gallery images, `out` at k1=20, k2=6, lambda=0.3; their
encodings are float16. TLift: tau=100, sigma=200, K=10, alpha=0.2 unless the name says otherwise.
"""

import sys
from pathlib import Path

import numpy as np

FIXTURES = {"tlift": ("tlift_a/", "tlift_b/"), "rerank": ("rerank_",), "metrics": ("metrics/",)}


def main(source: str) -> None:
    with np.load(source, allow_pickle=False) as collected:
        for name, prefixes in FIXTURES.items():
            arrays = {key: collected[key] for key in collected.files if key.startswith(prefixes)}
            np.savez_compressed(Path(__file__).with_name(f"{name}.npz"), **arrays)


if __name__ == "__main__":
    main(sys.argv[1])

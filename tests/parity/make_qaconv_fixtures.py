"""Cuts the QAConv matcher and loss fixtures out of the collected outputs of the QAConv authors' code.

    python tests/parity/make_qaconv_fixtures.py path/to/qaconv.npz

The outputs were computed by running github.com/ShengcaiLiao/QAConv (tag v1.0-eccv for `eccv`, v1.2 for `v12`, HEAD
a3db278 for `gs`, `head` and the triplet) on random unit-norm maps, torch layout [n, d, h, w]. `w_*` are the
matcher's weights before and `after*_*` after a call in training mode; `score_train`, `logit_pg_train` are its
outputs. Class memory: two steps with duplicate identities and empty classes; `grad_*` of the mean loss.
`match_small`: v1.0's local scores, whose code takes the first half of the weights for the probe.
"""

import sys
from pathlib import Path

import numpy as np

MATCHERS = tuple(f"matcher_{kind}_{size}/" for kind in ("gs", "eccv") for size in ("small", "full"))
FIXTURES = {
    "qaconv_matcher": ("maps_small/", "maps_full/", "match_small/", *MATCHERS),
    "qaconv_losses": (
        "loss_inputs/",
        "classmem_eccv_mbs16/",
        "classmem_v12_mbs16/",
        "classmem_head_mbs16/",
        "pair_inputs/",
        "triplet_m16/",
    ),
}


def main(source: str) -> None:
    with np.load(source, allow_pickle=False) as collected:
        for name, prefixes in FIXTURES.items():
            arrays = {key: collected[key] for key in collected.files if key.startswith(prefixes)}
            np.savez_compressed(Path(__file__).with_name(f"{name}.npz"), **arrays)


if __name__ == "__main__":
    main(sys.argv[1])

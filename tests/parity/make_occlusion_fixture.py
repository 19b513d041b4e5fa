"""Cuts `occlusion.npz` out of the outputs recorded from the authors' code (run once, not in CI).

    python tests/parity/make_occlusion_fixture.py path/to/qaconv.npz

`boxes` [20, 4] are the squares (left, top, side, side) that the random occlusion of
github.com/ShengcaiLiao/QAConv hides in images of 128 x 384 after `np.random.seed(0)`, with sides
from 0 to 0.8 of the width.
"""

import sys
from pathlib import Path

import numpy as np

if __name__ == "__main__":
    recorded = np.load(sys.argv[1], allow_pickle=False)
    target = Path(__file__).with_name("occlusion.npz")
    np.savez_compressed(target, boxes=recorded["occlusion/boxes"].astype(np.int16))

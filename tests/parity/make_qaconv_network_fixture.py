"""Cuts the whole-network and graph-sampler fixtures out of the collected outputs of the QAConv authors' code.

    python tests/parity/make_qaconv_network_fixture.py path/to/qaconv.npz path/to/qaconv_checkpoint_keys.txt

`*_out` are the unit-norm maps [n, d, h, w] of github.com/ShengcaiLiao/QAConv (`eccv`: tag v1.0-eccv, `v12`: v1.2,
`gs`: HEAD a3db278) for the images `RandomState(123).uniform(0, 1, (2, 3, 384, 128))`; `small64` and `small96` are those
of the first image's upper left 64 x 32 and 96 x 32 pixels. The weights were drawn anew from the crc32 of each name (see
the test). `keys` are all names and shapes of the checkpoints, by network. `graph_sampler`: 12 classes, batches of 8
with K = 2, the first three epochs from the distances `dist`.
"""

import json
import re
import sys
from pathlib import Path

import numpy as np


def keys_of(text: str) -> dict[str, dict[str, list[int]]]:
    """{network: {name: shape}} of the text file."""
    networks: dict[str, dict[str, list[int]]] = {}
    for line in text.splitlines():
        if found := re.match(r"\[(\w+)\]", line):
            networks[found[1]] = {}
        elif line and not line.startswith("#"):
            name, shape, _ = line.split("\t")
            networks[next(reversed(networks))][name] = [int(n) for n in shape.split("x")] if shape != "scalar" else []
    return networks


def main(source: str, keys: str) -> None:
    with np.load(source, allow_pickle=False) as collected:
        # At full size only one network of either form, to keep the file small.
        full = ("networks/eccv_r50_out", "networks/gs_r50_ibnb_out")
        arrays = {
            key: collected[key]
            for key in collected.files
            if key in full or re.match(r"networks/.*_small\d+_out|graph_sampler/", key)
        }
    text = json.dumps(keys_of(Path(keys).read_text(encoding="utf-8")))
    np.savez_compressed(Path(__file__).with_name("qaconv_networks.npz"), keys=np.array(text), **arrays)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Cuts the DG-Net fixtures out of the collected outputs of the authors' code.

    python tests/parity/make_dgnet_fixtures.py path/to/dgnet_modules.npz path/to/dgnet_iteration.npz \
        path/to/dgnet_checkpoint_keys.txt

The outputs are those of github.com/NVlabs/DG-Net at commit 9855f08 on fixed inputs, in torch's layout; weights and
inputs are exact in float16. `dgnet_discriminator.npz`: the discriminator, its losses, penalty and gradients' norms.
`dgnet_iteration.npz`: one whole iteration at 192 x 96, 10 identities, style networks 16 wide, a backbone of one block,
no dropout, no erasing, all ramps finished, for both sides of the coin (A: the encoder that reads learns, B: those who
drew); of every gradient the norm, of every updated parameter the first 32 values.
`dgnet_keys.json`: names and shapes of the tensors of the four kinds of weight files.
"""

import json
import re
import sys
from pathlib import Path

import numpy as np


def half(array: np.ndarray) -> np.ndarray:
    """float16 where nothing is lost, to keep the files small."""
    exact = array.dtype == np.float32 and np.abs(array).max() < 6e4 and np.array_equal(array, array.astype("float16"))
    return array.astype("float16") if exact else array


def main(modules: str, iteration: str, keys: str) -> None:
    folder = Path(__file__).parent
    with np.load(modules, allow_pickle=False) as collected:
        wanted = (
            "mod/w/dis",
            "mod/in/d_",
            "mod/out/d_",
            "mod/loss/",
            "mod/out/r1",
            "mod/in/log",
            "mod/in/t",
            "mod/in/lab",
        )
        arrays = {key[4:]: half(collected[key]) for key in collected.files if key.startswith(wanted)}
        for key in collected.files:
            if key.startswith("mod/grad/dis/"):
                arrays[key[4:]] = np.linalg.norm(collected[key])
        np.savez_compressed(folder / "dgnet_discriminator.npz", **arrays)
    with np.load(iteration, allow_pickle=False) as collected:
        arrays = {}
        for key in collected.files:
            if (
                key.startswith(("step/in/", "step/w/"))
                or "/loss/" in key
                or "/grad_norm/" in key
                or "/new_head/id/" in key
                or "/new_buffer/" in key
            ):
                arrays[key[5:]] = half(collected[key])
            elif key in ("step/out/x_ab", "step/out/x_ba", "step/out/s_a"):
                arrays[key[5:]] = collected[key][:1]
            elif key in ("step/out/f_a", "step/out/p_a0", "step/out/p_a1"):
                arrays[key[5:]] = collected[key]
        np.savez_compressed(folder / "dgnet_iteration.npz", **arrays)
    kinds: dict[str, dict[str, list[int]]] = {}
    for line in Path(keys).read_text(encoding="utf-8").splitlines():
        if found := re.match(r"== (\w+) parameters", line):
            kinds[found[1]] = {}
        elif found := re.fullmatch(r" +(\S+) \((.*)\)", line):
            kinds[next(reversed(kinds))][found[1]] = [int(side) for side in found[2].split(",") if side.strip()]
    (folder / "dgnet_keys.json").write_text(json.dumps(kinds, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])

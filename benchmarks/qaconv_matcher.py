"""Scoring 256 x 512 maps of 24 x 8 x 128 by a QAConv matcher, beside the bare matrix products of the same blocks.

    python benchmarks/qaconv_matcher.py        # a minute or two per backend

Every pair of maps costs one product [192, 128] x [128, 192], two maxima and two weighted sums. Each backend runs in a
process of its own, ours and the bare products in the same process with the same threads, alternating; the least of
several runs is reported. The products are those of the blocks that ours makes: [64 * 192, 128] x [128, 192].

Claim: with TensorFlow at most 1.3 times the bare product; extra memory under 600 MB.
"""

import json
import os
import subprocess
import sys
import time

BACKENDS = ("tensorflow", "jax", "torch")
GALLERY, MAP, ROWS, SEED = 512, (24, 8, 128), 64, 0
# Queries and runs; torch and JAX are reported on fewer.
QUERIES = {"tensorflow": 256, "jax": 128, "torch": 64}
RUNS = {"tensorflow": 3, "jax": 2, "torch": 1}


def unit_maps(rng, count):
    import numpy as np

    maps = rng.normal(size=(count, *MAP)).astype("float32")
    return maps / np.linalg.norm(maps, axis=-1, keepdims=True)


def bare_products(query, gallery):
    """A function that multiplies all blocks and keeps nothing."""
    import keras

    rows = [
        keras.ops.convert_to_tensor(query[top : top + ROWS].reshape(-1, MAP[-1])) for top in range(0, len(query), ROWS)
    ]
    columns = [keras.ops.convert_to_tensor(one.reshape(-1, MAP[-1]).T.copy()) for one in gallery]
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        matmul = tf.matmul
    else:
        matmul = keras.ops.matmul

    def work():
        for left in rows:
            for right in columns:
                product = matmul(left, right)
        getattr(product, "block_until_ready", lambda: None)()

    return work


def child() -> None:
    import keras
    import numpy as np
    from _measure import _peak_mb, _reset_peak, _resident_mb

    from keras_reid.layers import QAConvMatcher
    from keras_reid.methods.qaconv.scoring import block_logits

    rng = np.random.default_rng(SEED)
    backend = keras.backend.backend()
    query, gallery = unit_maps(rng, QUERIES[backend]), unit_maps(rng, GALLERY)
    matcher = QAConvMatcher("qaconv")
    matcher.build((None, *MAP))
    before = _resident_mb()
    reset = _reset_peak()
    block_logits(matcher, query, gallery)  # compiles, too
    result = {"extra_mb": round(_peak_mb(reset) - before)}
    works = {
        "bare_product": bare_products(query, gallery),
        "float32": lambda: block_logits(matcher, query, gallery),
        "bfloat16": lambda: block_logits(matcher, query[:64], gallery[:128], precision="bfloat16"),
    }
    seconds = {name: [] for name in works}
    for _ in range(RUNS[backend]):
        for name, work in works.items():
            cpu, wall = time.process_time(), time.perf_counter()
            work()
            pairs = 64 * 128 if name == "bfloat16" else len(query) * GALLERY
            spent = (time.process_time() - cpu, time.perf_counter() - wall)
            seconds[name].append([value / pairs * 1e6 for value in spent])
    for name, runs in seconds.items():
        cpu, wall = (min(column) for column in zip(*runs, strict=True))
        result[name] = {"cpu_us_per_pair": round(cpu, 1), "wall_us_per_pair": round(wall, 1)}
    result["times_the_bare_product"] = round(
        result["float32"]["cpu_us_per_pair"] / result["bare_product"]["cpu_us_per_pair"], 2
    )
    exact = block_logits(matcher, query[:8], gallery[:64])
    rough = block_logits(matcher, query[:8], gallery[:64], precision="bfloat16")
    result["largest_bfloat16_difference_in_standard_deviations"] = round(
        float(np.abs(exact - rough).max() / exact.std()), 4
    )
    print("RESULT", backend, json.dumps(result), flush=True)


def main() -> None:
    from _measure import write_result

    results = {}
    for backend in BACKENDS:
        environment = os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "2"}
        done = subprocess.run(
            [sys.executable, __file__, "child"], env=environment, capture_output=True, text=True, check=False
        )
        line = next((line for line in done.stdout.splitlines() if line.startswith("RESULT")), None)
        if line is None:
            raise RuntimeError(f"{backend} ended with code {done.returncode}:\n{done.stderr[-2000:]}")
        results[backend] = json.loads(line.split(maxsplit=2)[2])
    write_result(
        "qaconv_matcher",
        {
            "what": "microseconds per pair of maps, the least of the runs; the process may use every core",
            "sizes": {"queries": QUERIES, "gallery": GALLERY, "map": MAP, "runs": RUNS},
            "seed": SEED,
            "backends": results,
            "claim": {"tensorflow_times_the_bare_product": 1.3, "extra_mb": 600},
        },
    )


if __name__ == "__main__":
    child() if sys.argv[1:] == ["child"] else main()

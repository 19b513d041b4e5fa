"""Scoring 500 x 5000 pairs of 2048-d features by GMN's metric network, beside its matrix products alone.

    python benchmarks/gmn_scoring.py        # some minutes: two times 5.2 TFLOP

Each pair costs a product [512, 2048] x [2048, 1] and little else. Ours and the bare products of the same blocks run in
one process with the same threads; the least of `RUNS` is reported. For scale, the plain way (the
squared differences of every pair, through the network) is measured on a part and given per pair.

Claim: at most 1.3 times the bare products; extra memory under 300 MB.
"""

import sys
import time

QUERIES, GALLERY, SIZE, HIDDEN, RUNS, SEED = 500, 5000, 2048, 512, 1, 0
PLAIN = (20, 200)


def work():
    """Prepares features and a network with random statistics; returns what is measured."""
    import keras
    import numpy as np
    from _measure import _peak_mb, _reset_peak, _resident_mb

    from keras_reid.layers import MetricNetwork
    from keras_reid.methods.gmn.scoring import block_shape, pair_logits

    rng = np.random.default_rng(SEED)
    query, gallery = (rng.random((count, SIZE)).astype("float32") for count in (QUERIES, GALLERY))
    network = MetricNetwork(hidden=(HIDDEN,))
    network.build((None, SIZE))
    layers = network.folded()
    rows, columns = block_shape(QUERIES, GALLERY, SIZE, HIDDEN, 64)
    pair_logits(layers, query[:rows], gallery[:columns])  # compiles

    def bare():
        """The products of all blocks, nothing kept: [rows * hidden, size] x [size, columns]."""
        left = keras.ops.convert_to_tensor(rng.random((rows * HIDDEN, SIZE)).astype("float32"))
        right = keras.ops.convert_to_tensor(rng.random((SIZE, columns)).astype("float32"))
        for _ in range(-(-QUERIES // rows) * -(-GALLERY // columns)):
            product = keras.ops.matmul(left, right)
        keras.ops.convert_to_numpy(product[0, 0])

    def plain():
        for one in query[: PLAIN[0]]:
            keras.ops.convert_to_numpy(network((one - gallery[: PLAIN[1]]) ** 2))

    def run():
        result = {"block": [rows, columns], "extra_mb": 0}
        works = {"ours": lambda: pair_logits(layers, query, gallery), "bare_products": bare, "plain": plain}
        seconds = {name: [] for name in works}
        for _ in range(RUNS):
            for name, function in works.items():
                before, reset = _resident_mb(), _reset_peak()
                cpu, wall = time.process_time(), time.perf_counter()
                exact = function()
                seconds[name].append((time.process_time() - cpu, time.perf_counter() - wall))
                if name == "ours":
                    result["extra_mb"] = max(result["extra_mb"], round(_peak_mb(reset) - before))
                    direct = [keras.ops.convert_to_numpy(network((one - gallery[:50]) ** 2)) for one in query[:10]]
                    difference = np.abs(exact[:10, :50] - np.stack(direct)).max()
                    result["largest_difference_to_the_plain_way"] = round(float(difference), 6)
                    result["deviation_of_the_logits"] = round(float(exact.std()), 4)
        for name, runs in seconds.items():
            pairs = PLAIN[0] * PLAIN[1] if name == "plain" else QUERIES * GALLERY
            cpu, wall = (min(column) / pairs * 1e6 for column in zip(*runs, strict=True))
            result[name] = {"cpu_us_per_pair": round(cpu, 2), "wall_us_per_pair": round(wall, 2)}
        ours, products = result["ours"]["cpu_us_per_pair"], result["bare_products"]["cpu_us_per_pair"]
        return result | {"times_the_bare_products": round(ours / products, 2)}

    return run


def main() -> None:
    from _measure import measure, write_result

    cost = measure(work, threads=2)
    write_result(
        "gmn_scoring",
        {
            "what": "microseconds per pair of features, the least of the runs",
            "sizes": {"queries": QUERIES, "gallery": GALLERY, "size": SIZE, "hidden": HIDDEN, "runs": RUNS},
            "seed": SEED,
            "tensorflow": cost.pop("value"),
            "process": cost,
            "claim": {"times_the_bare_products": 1.3, "extra_mb": 300},
        },
    )


if __name__ == "__main__":
    sys.exit(main())

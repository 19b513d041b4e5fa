"""What is killed: enrols, or enrols and compacts, and says on standard output what it has done.

python -m tests.gallery.crash_child PATH enrol|compact COUNT
"""

import sys

import numpy as np

DIMENSION = 32
BATCH = 50


def embeddings(count: int) -> np.ndarray:
    found = np.random.default_rng(5).normal(size=(count, DIMENSION)).astype("float32")
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def main(path: str, task: str, count: int) -> None:
    from keras_reid.gallery import Fingerprint, Gallery

    if task == "compact":
        with Gallery(path) as gallery:
            while True:
                print("compacting", flush=True)
                gallery.compact()
    gallery = Gallery(path, Fingerprint("killed", DIMENSION, "v1"))
    print("open", flush=True)
    gallery.enrol(
        features=embeddings(count),
        keys=[f"key {number}" for number in range(count)],
        cameras=np.arange(count) % 7,
        batch_size=BATCH,
        progress=lambda done, total: print(done, flush=True),
    )
    gallery.close()
    print("closed", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))

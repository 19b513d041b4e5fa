"""What is killed: enrols, or enrols and compacts, and says on standard output what it has done.

python -m tests.gallery.crash_child PATH enrol|pairs|compact COUNT
"""

import sys

import numpy as np

DIMENSION = 32
SHAPE = (2, 2, 8)
BATCH = 50


class Matcher:
    """A pairwise model in numpy: locations are compared one by one."""

    name, image_size, interpolation = "matcher", (64, 32), "bilinear"

    def fingerprint(self):
        from keras_reid.gallery import Fingerprint

        return Fingerprint("Matcher", DIMENSION, "v1", feature_shape=SHAPE)

    def embed(self, maps):
        return np.asarray(maps, "float32").reshape(len(maps), -1)

    def score(self, query, gallery):
        return self.embed(query) @ self.embed(gallery).T


def embeddings(count: int) -> np.ndarray:
    found = np.random.default_rng(5).normal(size=(count, DIMENSION)).astype("float32")
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def maps(count: int) -> np.ndarray:
    return embeddings(count).reshape(count, *SHAPE)


def main(path: str, task: str, count: int) -> None:
    from keras_reid.gallery import Fingerprint, Gallery

    if task == "compact":
        with Gallery(path) as gallery:
            while True:
                print("compacting", flush=True)
                gallery.compact()
    pairs = task == "pairs"
    gallery = Gallery(path, Matcher() if pairs else Fingerprint("killed", DIMENSION, "v1"))
    print("open", flush=True)
    gallery.enrol(
        features=maps(count) if pairs else embeddings(count),
        keys=[f"key {number}" for number in range(count)],
        cameras=np.arange(count) % 7,
        batch_size=BATCH,
        progress=lambda done, total: print(done, flush=True),
    )
    gallery.close()
    print("closed", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))

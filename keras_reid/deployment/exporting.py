"""`export`: a model's features as one file, which is run again and compared before it gets its name."""

import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from keras import ops

from keras_reid.deployment.formats import choose_format
from keras_reid.methods import CMEMD, ReIDModel
from keras_reid.pipeline._tensorflow import import_tensorflow

__all__ = ["ExportedFile", "export"]

# One image, the smallest batch, and one that is no multiple of anything.
BATCH_SIZES = (1, 2, 17)
TOLERANCE = 1e-4


@dataclass(frozen=True)
class ExportedFile:
    """What `export` wrote, and how well it agrees with the model. Printed, it is a table.

    Attributes:
        path: The file, or the folder of a SavedModel.
        format: ``"tf_saved_model"``, ``"onnx"`` or ``"litert"``.
        image_size: (H, W) of the images it takes.
        feature_shape: Shape of the features of one image.
        differences: Batch size -> greatest absolute difference between the file's features and the model's.

    Example:
        >>> from keras_reid.deployment import ExportedFile
        >>> print(ExportedFile("model.onnx", "onnx", (256, 128), (2048,), {1: 2.1e-7, 17: 3e-7}))
        model.onnx (onnx)
        images    uint8 [N, 256, 128, 3], RGB
        features  float32 [N, 2048]
        <BLANKLINE>
        batch  greatest difference from the Keras model
            1  2.1e-07
           17  3.0e-07
    """

    path: Path
    format: str
    image_size: tuple[int, int]
    feature_shape: tuple[int, ...]
    differences: Mapping[int, float]

    def __str__(self) -> str:
        """The table."""
        height, width = self.image_size
        return "\n".join(
            [
                f"{self.path} ({self.format})",
                f"images    uint8 [N, {height}, {width}, 3], RGB",
                f"features  float32 [N, {', '.join(map(str, self.feature_shape))}]",
                "",
                "batch  greatest difference from the Keras model",
                *(f"{batch:>5}  {difference:.1e}" for batch, difference in self.differences.items()),
            ]
        )


class Deployed(keras.Model):
    """A method with what the pipeline does before it: uint8 images [B,H,W,3] -> ``{"features": [B, ...]}``.

    Args:
        method: What is deployed.
        modality: 0 or 1 for a method that wants to know, for every image.
    """

    def __init__(self, method: ReIDModel, modality: int | None):
        super().__init__(name="deployed", dtype=method.dtype_policy)
        self.method = method
        self.modality = modality
        self.build((None, *method.image_size, 3))

    def build(self, input_shape):
        """There is nothing to create: the method is built."""

    def call(self, images):
        """Scales to [0, 1]; the method does the rest."""
        inputs = ops.cast(images, "float32") / 255.0
        if self.modality is not None:
            # A constant that broadcasts: of the branches over the modality the exporters keep the one that is taken.
            inputs = {"image": inputs, "modality": ops.full((1,), self.modality, "int32")}
        return {"features": self.method(inputs, training=False)}


def export(
    model: ReIDModel, path: str | os.PathLike, format: str | None = None, modality: int | None = None
) -> ExportedFile:
    """Writes a model as a file for TensorFlow, ONNX Runtime or LiteRT, and compares the file with the model.

    The file takes ``images``, uint8 RGB [N,H,W,3] of the model's `image_size` and any N, and returns ``features``: what
    `extract` returns for these images, scaling and normalisation included. It computes in float32 whatever the model's
    dtype policy. Heads, memories and optimisers are left out.

    It is written under a temporary name beside ``path``, loaded, and run on batches of 1, 2 and 17 images of noise. It
    gets its name only if every number lies within 1e-4 of the model's (times the greatest feature, where that is above
    1); otherwise it is deleted.

    Args:
        model: The model; of `keras_reid.load_model`, for instance.
        path: What to write: ``*.onnx``, ``*.tflite``, or a new folder for a SavedModel.
        format: ``"onnx"``, ``"litert"`` or ``"tf_saved_model"``; by default what the suffix of ``path`` says.
        modality: For `CMEMD`: which images the file is for, 0 visible (the default) or 1 thermal.

    Returns:
        The `ExportedFile`: path, shapes and differences.

    Raises:
        TypeError: The model is none of this library.
        ValueError: Keras runs on another backend than TensorFlow, ``path`` exists or tells no format, another method
            is given a modality, or the file disagrees with the model.
        ImportError: A package of the extra ``export`` is missing.

    Example:
        >>> import tempfile, pathlib, keras_reid
        >>> from keras_reid.deployment import export
        >>> model = keras_reid.zoo.load("baseline_tiny", image_size=(64, 32))
        >>> file = export(model, pathlib.Path(tempfile.mkdtemp()) / "baseline")
        >>> file.format, file.feature_shape, max(file.differences.values()) < 1e-4
        ('tf_saved_model', (256,), True)
    """
    path = Path(path)
    _check(model, path, modality)
    chosen = choose_format(format, path)
    chosen.check_packages()
    if isinstance(model, CMEMD):
        modality = modality or 0
    deployed = Deployed(_in_float32(model.inference_model()), modality)
    signature = [keras.InputSpec(shape=(None, *model.image_size, 3), dtype="uint8", name="images")]
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        draft = Path(folder) / f"model{chosen.suffix}"
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", r".*np\.object.*", FutureWarning)  # Keras' own patch of tf2onnx
            deployed.export(draft, format=chosen.name, input_signature=signature, verbose=False)
        images = _probe_images(model.image_size)
        with _whole_float32():
            run = chosen.open(draft)
            expected = _features(deployed, images)
            differences = {size: float(np.abs(run(images[:size]) - expected[:size]).max()) for size in BATCH_SIZES}
        file = ExportedFile(path, chosen.name, model.image_size, expected.shape[1:], differences)
        allowed = TOLERANCE * max(1.0, float(np.abs(expected).max()))
        if not all(difference <= allowed for difference in differences.values()):  # NaN is above, too
            raise ValueError(
                f"The exported file disagrees with the model by more than {allowed:.1e} and was deleted. Its "
                f"differences:\n{file}\nTry another format, and report which one this was."
            )
        draft.rename(path)
    return file


def _check(model, path: Path, modality) -> None:
    """Raises if nothing can be exported, before any work is done."""
    if not isinstance(model, ReIDModel):
        raise TypeError(
            f"`export` takes a model of keras_reid.methods. Received: {type(model).__name__}. "
            "keras_reid.load_model(path) loads a saved one."
        )
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            f"Models are exported by Keras on TensorFlow; here Keras runs on {keras.backend.backend()}. Save the model "
            "(model.save('model.keras')) and export it in a process with KERAS_BACKEND=tensorflow: "
            "keras-reid export model.keras --out ..."
        )
    if modality is not None and not (isinstance(model, CMEMD) and modality in (0, 1)):
        raise ValueError(
            "`modality` is 0 (visible) or 1 (thermal), for CMEMD alone; other methods take none. "
            f"Received: {modality!r} for {type(model).__name__}."
        )
    if path.exists():
        raise ValueError(f"{path} exists. Delete it, or give another path.")


def _in_float32(model: ReIDModel) -> ReIDModel:
    """The model, or where its policy computes in anything else a copy that computes in float32."""
    if model.dtype_policy.name == "float32":
        return model
    copy = type(model).from_config({**model.get_config(), "dtype": "float32"})
    copy.set_weights(model.get_weights())
    return copy


def _features(deployed: Deployed, images: np.ndarray) -> np.ndarray:
    """What the library itself makes of uint8 images."""
    options = {} if deployed.modality is None else {"modality": deployed.modality}
    return deployed.method.extract(images.astype("float32") / 255.0, batch_size=len(images), **options)


def _probe_images(image_size: tuple[int, int]) -> np.ndarray:
    """As many images as the largest batch, each of noise in a colour of its own."""
    rng = np.random.default_rng(0)
    count = max(BATCH_SIZES)
    return (256.0 * rng.random((count, 1, 1, 3)) * rng.random((count, *image_size, 3))).astype("uint8")


@contextmanager
def _whole_float32() -> Iterator[None]:
    """Keeps TensorFlow from rounding products to 19 bits on GPUs, as it does by default; nothing changes on CPUs."""
    experimental = import_tensorflow().config.experimental
    before = experimental.tensor_float_32_execution_enabled()
    experimental.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        experimental.enable_tensor_float_32_execution(before)

"""`keras-reid export`."""

from keras_reid.cli.common import add_command

__all__ = ["add"]


def add(commands) -> None:
    """Adds the commands to the parser."""
    export = add_command(commands, "export", _export, "write a saved model for ONNX Runtime, LiteRT or TensorFlow")
    export.add_argument("model", help=".keras file, or the folder of a finished run")
    export.add_argument("--out", required=True, help="what to write: *.onnx, *.tflite, or a folder (SavedModel)")
    export.add_argument("--format", help="onnx, litert or tf_saved_model (default: what the suffix of --out says)")
    export.add_argument(
        "--modality", type=int, help="CM-EMD only: the images the file is for, 0 visible (default) or 1 thermal"
    )


def _export(options) -> int:
    from keras_reid.deployment import export
    from keras_reid.methods.loading import load_model

    print(export(load_model(options.model), options.out, format=options.format, modality=options.modality))
    return 0

"""What the commands share: their frame, the options they have in common, and the data set these describe."""

import argparse
import json
from pathlib import Path

from keras_reid.progress import progress_line

__all__ = [
    "add_command",
    "bad_image_option",
    "check_gallery",
    "data_options",
    "existing",
    "gallery_fields",
    "load_dataset",
    "run_options",
]


def add_command(commands, name: str, function, text: str) -> argparse.ArgumentParser:
    """Adds a command: ``function(options)`` runs it and returns the exit status."""
    parser = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    parser.set_defaults(command=function)
    return parser


def data_options(parser) -> None:
    """Adds ``--data``, ``--root`` and ``--option``, which `load_dataset` reads."""
    parser.add_argument("--data", default="market1501", help="reader of the data set (default: %(default)s)")
    parser.add_argument("--root", help="folder of the data set; synthetic people need none")
    parser.add_argument(
        "--option",
        action="append",
        metavar="KEY=VALUE",
        help="option of the reader, e.g. site=B or pattern='(?P<person>...)'",
    )


def bad_image_option(parser) -> None:
    """Adds ``--on-bad-image``."""
    parser.add_argument(
        "--on-bad-image",
        choices=("raise", "skip"),
        default="raise",
        help="an unreadable image stops the run, or is left out",
    )


def run_options(parser) -> None:
    """Adds ``--epochs``, ``--seed`` and ``--resume``."""
    parser.add_argument("--epochs", type=int, help="number of epochs (default: the recipe's)")
    parser.add_argument("--seed", type=int, default=0, help="one seed for everything (default: %(default)s)")
    parser.add_argument("--resume", action="store_true", help="go on with the run in --out")


def load_dataset(options):
    """Loads the data set that ``--data``, ``--root`` and ``--option`` describe."""
    from keras_reid import datasets

    extra = {}
    for pair in options.option or ():
        key, separator, value = pair.partition("=")
        if not separator:
            raise ValueError(f"An option of a reader is key=value. Received: {pair!r}.")
        extra[key] = _value(value)
    if options.data == "synthetic":
        extra["progress"] = progress_line("Drawing people")
    return datasets.load(options.data, root=options.root, **extra)


def existing(name: str) -> str:
    """Returns the name of an image file, if there is one: what is misspelt is said before a model is loaded."""
    if not Path(name).exists():
        raise ValueError(f"There is no file or folder {name!r}.")
    return name


def gallery_fields(options):
    """Own fields of the gallery that the options name; None where there is none yet."""
    from keras_reid.gallery.opening import kept_fields

    return kept_fields(options.gallery, options.name, options.token)


def check_gallery(options) -> None:
    """Refuses a gallery that is not there before a model is loaded, which takes seconds."""
    if gallery_fields(options) is None:
        where = options.gallery + f", gallery {options.name!r}" * (options.name != "people")
        raise ValueError(f"There is no gallery {where}. Make it first: keras-reid gallery enrol.")


def _value(text: str):
    """Numbers, true and false as such; anything else is a string."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text

"""`keras-reid adapt`."""

import argparse

from keras_reid.cli.common import add_command, load_dataset, run_options

__all__ = ["add"]


def add(commands) -> None:
    """Adds the commands to the parser."""
    adapt = add_command(commands, "adapt", _adapt, "adapt a zoo entry to a site without labels")
    adapt.add_argument("name", help="zoo entry")
    for side, text in (("source", "labelled data to train on first"), ("target", "the site")):
        adapt.add_argument(f"--{side}", metavar="READER=ROOT", required=side == "target", help=text)
        adapt.add_argument(f"--{side}-option", action="append", metavar="KEY=VALUE", help="option of its reader")
    adapt.add_argument("--out", required=True, help="folder of records, pseudo labels, state and model")
    adapt.add_argument("--weights", help="start from: 'imagenet', or a .keras, .weights.h5, .safetensors or .pth file")
    adapt.add_argument("--style-transfer", metavar="FILE", help=".keras file of a trained SPGAN: draws the source anew")
    adapt.add_argument("--rounds", type=int, help="number of rounds (default: the recipe's)")
    adapt.add_argument("--eps", type=float, help="radius within which images are neighbours (default: measured)")
    adapt.add_argument(
        "--closest-share", type=float, help="share of all pairs it is measured by (default: the recipe's)"
    )
    adapt.add_argument(
        "--center-cameras",
        action=argparse.BooleanOptionalAction,
        help="compare images less their camera's mean (default: the recipe's)",
    )
    adapt.add_argument("--credibility", choices=("prototype", "knn"), help="of anchors (default: the recipe's)")
    run_options(adapt)


def _adapt(options) -> int:
    from keras_reid.adaptation.run import run
    from keras_reid.methods.loading import load_model

    sides = {"source": None}
    for side in ("source", "target"):
        if data := getattr(options, side):
            reader, _, root = data.partition("=")
            own = getattr(options, f"{side}_option")
            sides[side] = load_dataset(argparse.Namespace(data=reader, root=root or None, option=own))
    if options.style_transfer:
        sides["style_transfer"] = load_model(options.style_transfer)
    names = ("weights", "rounds", "eps", "closest_share", "center_cameras", "credibility", "seed", "resume")
    arguments = {name: getattr(options, name) for name in names}
    run(options.name, **sides, out=options.out, source_epochs=options.epochs, **arguments)
    print(f"\nModel, records and pseudo labels are in {options.out}")
    return 0

"""The `keras-reid` command."""

import argparse
import json
import os
import sys
from collections.abc import Sequence

from keras_reid.progress import progress_line

__all__ = ["main"]

_EXAMPLES = """examples:
  keras-reid demo
  keras-reid zoo
  keras-reid datasets render people/ --site A
  keras-reid datasets check --data market1501 --root people/
  keras-reid train baseline_tiny --data synthetic --option site=A --out runs/first
  keras-reid train baseline_r50 --root /data/Market-1501-v15.09.15 --weights imagenet --out runs/market
  keras-reid adapt dcml_r50 --source market1501=/data/Market-1501-v15.09.15 --target folder=/data/site --out runs/site
  keras-reid evaluate runs/market --root /data/Market-1501-v15.09.15
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
        arguments: What follows ``keras-reid``; the process's own by default.

    Returns:
        The exit status: 0 done, 1 the data have an error (``datasets check``), 2 bad arguments or input, 130
        interrupted.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # must be set before TensorFlow is loaded
    options = _parser().parse_args(arguments)
    try:
        return options.command(options)
    except (ValueError, TypeError, OSError, ImportError) as error:
        if options.debug:
            raise
        print(f"keras-reid: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as stop:
        advice = " The same command with --resume goes on." if hasattr(options, "resume") else ""
        print(f"\nkeras-reid: {str(stop) or 'interrupted.'}{advice}", file=sys.stderr)
        return 130


def _demo(options) -> int:
    from keras_reid.demo import demo

    demo(options.out, epochs=options.epochs, seed=options.seed, resume=options.resume)
    return 0


def _train(options) -> int:
    import keras

    from keras_reid.run import run

    if options.precision:
        keras.config.set_dtype_policy(options.precision)
    _, reports = run(
        options.name,
        _dataset(options),
        options.out,
        epochs=options.epochs,
        seed=options.seed,
        weights=options.weights,
        cache=None if options.cache == "none" else options.cache,
        sampler={key: value for key in ("identities", "images") if (value := getattr(options, key)) is not None},
        resume=options.resume,
        on_bad_image=options.on_bad_image,
    )
    for report in reports.values():
        print(report)
    print(f"\nModel, log and report are in {options.out}")
    return 0


def _evaluate(options) -> int:
    from keras_reid.evaluation import evaluate
    from keras_reid.methods.loading import load_model

    model = load_model(options.model)
    progress = not options.json  # standard output is for the JSON alone
    report = evaluate(model, _dataset(options), on_bad_image=options.on_bad_image, progress=progress)
    print(json.dumps(report.to_dict(), indent=1) if options.json else report)
    if options.out:
        report.to_html(options.out, model=model)
        print(f"\nReport: {options.out}", file=sys.stderr)
    return 0


def _adapt(options) -> int:
    from keras_reid.adaptation.run import run
    from keras_reid.methods.loading import load_model

    sides = {"source": None}
    for side in ("source", "target"):
        if data := getattr(options, side):
            reader, _, root = data.partition("=")
            own = getattr(options, f"{side}_option")
            sides[side] = _dataset(argparse.Namespace(data=reader, root=root or None, option=own))
    if options.style_transfer:
        sides["style_transfer"] = load_model(options.style_transfer)
    names = ("weights", "rounds", "eps", "closest_share", "credibility", "seed", "resume")
    arguments = {name: getattr(options, name) for name in names}
    run(options.name, **sides, out=options.out, source_epochs=options.epochs, **arguments)
    print(f"\nModel, records and pseudo labels are in {options.out}")
    return 0


def _zoo(options) -> int:
    from keras_reid import zoo

    if options.name:
        print(zoo.card(options.name))
        return 0
    for name in zoo.list():
        print(f"{name:<20} {zoo.card(name).title}")
    return 0


def _check(options) -> int:
    from keras_reid import datasets

    if options.place and options.root:
        raise ValueError(f"The folder was given twice: {options.place!r} and --root {options.root!r}. Give one.")
    options.root = options.root or options.place
    try:
        dataset = _dataset(options)
    except datasets.RefusedDataset as refused:
        dataset = refused.dataset  # why it was refused is among the findings
    # Standard output is for the JSON alone.
    progress = None if options.json else progress_line("Looking at images")
    result = datasets.check(dataset, decode=not options.no_decode, progress=progress)
    print(json.dumps(result.to_dict(), indent=1) if options.json else result)
    return 0 if result.ok else 1


def _render(options) -> int:
    from keras_reid.datasets import synthetic

    path = synthetic.render(
        options.root,
        site=options.site,
        seed=options.seed,
        camera_seed=options.camera_seed,
        groups=not options.no_groups,
        progress=progress_line("Drawing"),
    )
    print(f"People of site {options.site} in the Market-1501 layout: {path}")
    return 0


def _dataset(options):
    from keras_reid import datasets

    extra = {}
    for pair in options.option or ():
        key, separator, value = pair.partition("=")
        if not separator:
            raise ValueError(f"--option takes key=value. Received: {pair!r}.")
        extra[key] = _value(value)
    if options.data == "synthetic":
        extra["progress"] = progress_line("Drawing people")
    return datasets.load(options.data, root=options.root, **extra)


def _value(text: str):
    """Numbers, true and false as such; anything else is a string."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _parser() -> argparse.ArgumentParser:
    from keras_reid import __version__

    parser = argparse.ArgumentParser(
        prog="keras-reid",
        description="Person re-identification for Keras 3: train, test and explain.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"keras-reid {__version__}")
    parser.add_argument("--debug", action="store_true", help="show the whole traceback of an error")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    demo = _command(commands, "demo", _demo, "draw people, train, test on unseen cameras, write a report")
    demo.add_argument("--out", default="runs/demo", help="folder of the run (default: %(default)s)")
    _run_options(demo)

    train = _command(commands, "train", _train, "train a zoo entry by its recipe")
    train.add_argument("name", help="zoo entry; `keras-reid zoo` lists them")
    _data_options(train)
    _bad_image_option(train)
    train.add_argument("--out", required=True, help="folder of the run: config, log, state, model, report")
    train.add_argument("--weights", help="'imagenet', or a .keras, .weights.h5, .safetensors or .pth file")
    train.add_argument(
        "--cache", default="memory", help="decoded images: memory, none, or a folder (default: %(default)s)"
    )
    train.add_argument(
        "--precision", choices=("float32", "mixed_bfloat16", "mixed_float16"), help="dtype policy (default: Keras' own)"
    )
    train.add_argument("--identities", type=int, metavar="P", help="identities in a batch (default: the recipe's)")
    train.add_argument("--images", type=int, metavar="K", help="images of each identity (default: the recipe's)")
    _run_options(train)

    evaluate = _command(commands, "evaluate", _evaluate, "test a saved model on a data set")
    evaluate.add_argument("model", help=".keras file, or the folder of a finished run")
    _data_options(evaluate)
    _bad_image_option(evaluate)
    evaluate.add_argument("--out", help="write an HTML report to this file")
    evaluate.add_argument("--json", action="store_true", help="print JSON instead of text")

    adapt = _command(commands, "adapt", _adapt, "adapt a zoo entry to a site without labels")
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
        "--credibility", choices=("prototype", "knn"), default="prototype", help="of anchors (default: %(default)s)"
    )
    _run_options(adapt)

    zoo = _command(commands, "zoo", _zoo, "list the zoo, or print one card")
    zoo.add_argument("name", nargs="?", help="zoo entry")

    datasets = commands.add_parser("datasets", help="check a data set, or draw synthetic people")
    actions = datasets.add_subparsers(required=True, metavar="ACTION")
    check = _command(
        actions,
        "check",
        _check,
        "find leaks, duplicates, broken images, useless queries; exit status 1 if the data have an error",
    )
    check.add_argument("place", nargs="?", metavar="ROOT", help="the same as --root")
    _data_options(check)
    check.add_argument("--no-decode", action="store_true", help="only look whether the files are there")
    check.add_argument("--json", action="store_true", help="print JSON instead of text")
    render = _command(actions, "render", _render, "draw the people of one synthetic site")
    render.add_argument("root", help="folder to draw into")
    render.add_argument("--site", default="A", choices="ABCD", help="site (default: %(default)s)")
    render.add_argument("--seed", type=int, default=0, help="seed of the people (default: %(default)s)")
    render.add_argument("--camera-seed", type=int, default=0, help="seed of the cameras (default: %(default)s)")
    render.add_argument("--no-groups", action="store_true", help="nobody walks in a group")
    return parser


def _command(commands, name: str, function, text: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    parser.set_defaults(command=function)
    return parser


def _data_options(parser) -> None:
    parser.add_argument("--data", default="market1501", help="reader of the data set (default: %(default)s)")
    parser.add_argument("--root", help="folder of the data set; synthetic people need none")
    parser.add_argument(
        "--option",
        action="append",
        metavar="KEY=VALUE",
        help="option of the reader, e.g. site=B or pattern='(?P<person>...)'",
    )


def _bad_image_option(parser) -> None:
    parser.add_argument(
        "--on-bad-image",
        choices=("raise", "skip"),
        default="raise",
        help="an unreadable image stops the run, or is left out",
    )


def _run_options(parser) -> None:
    parser.add_argument("--epochs", type=int, help="number of epochs (default: the recipe's)")
    parser.add_argument("--seed", type=int, default=0, help="one seed for everything (default: %(default)s)")
    parser.add_argument("--resume", action="store_true", help="go on with the run in --out")


if __name__ == "__main__":
    sys.exit(main())

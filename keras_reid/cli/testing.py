"""`keras-reid evaluate`."""

import json
import sys

from keras_reid.cli.common import add_command, bad_image_option, data_options, load_dataset

__all__ = ["add"]


def add(commands) -> None:
    """Adds the commands to the parser."""
    evaluate = add_command(commands, "evaluate", _evaluate, "test a saved model on a data set")
    evaluate.add_argument("model", help=".keras file, or the folder of a finished run")
    data_options(evaluate)
    bad_image_option(evaluate)
    evaluate.add_argument("--out", help="write an HTML report to this file")
    evaluate.add_argument("--json", action="store_true", help="print JSON instead of text")


def _evaluate(options) -> int:
    from keras_reid.evaluation import evaluate
    from keras_reid.methods.loading import load_model

    model = load_model(options.model)
    progress = not options.json  # standard output is for the JSON alone
    report = evaluate(model, load_dataset(options), on_bad_image=options.on_bad_image, progress=progress)
    print(json.dumps(report.to_dict(), indent=1) if options.json else report)
    if options.out:
        report.to_html(options.out, model=model)
        print(f"\nReport: {options.out}", file=sys.stderr)
    return 0

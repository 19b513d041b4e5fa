"""`keras-reid datasets`."""

import json

from keras_reid.cli.common import add_command, data_options, load_dataset
from keras_reid.progress import progress_line

__all__ = ["add"]


def add(commands) -> None:
    """Adds the commands to the parser."""
    datasets = commands.add_parser("datasets", help="check a data set, or draw synthetic people")
    actions = datasets.add_subparsers(required=True, metavar="ACTION")
    check = add_command(
        actions,
        "check",
        _check,
        "find leaks, duplicates, broken images, useless queries; exit status 1 if the data have an error",
    )
    check.add_argument("place", nargs="?", metavar="ROOT", help="the same as --root")
    data_options(check)
    check.add_argument("--no-decode", action="store_true", help="only look whether the files are there")
    check.add_argument("--json", action="store_true", help="print JSON instead of text")
    render = add_command(actions, "render", _render, "draw the people of one synthetic site")
    render.add_argument("root", help="folder to draw into")
    render.add_argument("--site", default="A", choices="ABCD", help="site (default: %(default)s)")
    render.add_argument("--seed", type=int, default=0, help="seed of the people (default: %(default)s)")
    render.add_argument("--camera-seed", type=int, default=0, help="seed of the cameras (default: %(default)s)")
    render.add_argument("--no-groups", action="store_true", help="nobody walks in a group")


def _check(options) -> int:
    from keras_reid import datasets

    if options.place and options.root:
        raise ValueError(f"The folder was given twice: {options.place!r} and --root {options.root!r}. Give one.")
    options.root = options.root or options.place
    try:
        dataset = load_dataset(options)
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

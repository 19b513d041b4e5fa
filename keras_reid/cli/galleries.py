"""`keras-reid gallery`: people enrolled, found and forgotten."""

import dataclasses
import json
import re
import sys
from functools import reduce
from operator import and_

from keras_reid.cli.common import (
    add_command,
    bad_image_option,
    check_gallery,
    data_options,
    existing,
    gallery_fields,
    load_dataset,
)

__all__ = ["add"]

_PARTS = ("train", "query", "gallery")
_CONDITION = re.compile(r"\s*(\w+)\s*(==|!=|>=|<=|=|>|<)\s*(.*?)\s*", re.DOTALL)


def add(commands) -> None:
    """Adds the commands to the parser."""
    gallery = commands.add_parser("gallery", help="enrol people in a gallery that stays, find and forget them")
    actions = gallery.add_subparsers(required=True, metavar="ACTION")

    enrol = add_command(actions, "enrol", _enrol, "enrol images, or a part of a data set")
    _gallery_options(enrol, model=True)
    enrol.add_argument("--images", nargs="+", metavar="IMAGES", help="image files or folders; else a part of --data")
    data_options(enrol)
    enrol.add_argument("--part", choices=_PARTS, default="gallery", help="which part of --data (default: %(default)s)")
    enrol.add_argument("--camera", type=int, help="camera of the images")
    enrol.add_argument("--time", type=float, help="capture time of the images, in seconds")
    enrol.add_argument("--thermal", action="store_true", help="the images of --images are thermal")
    enrol.add_argument(
        "--field", action="append", default=[], metavar="NAME=VALUE", help="own field; the first enrolment names them"
    )
    enrol.add_argument("--index", help="when the gallery is made: exact (default), hnsw, hnsw_sq8, diskann")
    enrol.add_argument("--every-frame", action="store_true", help="do not pool the images of a tracklet to one entry")
    enrol.add_argument("--skip-known", action="store_true", help="go on after a stop: leave alone what is there")
    bad_image_option(enrol)

    search = add_command(actions, "search", _search, "find who is most like the images")
    _gallery_options(search, model=True)
    search.add_argument("images", nargs="+", metavar="IMAGES", help="image files or folders to look for")
    search.add_argument("--top", type=int, default=10, help="matches per image (default: %(default)s)")
    search.add_argument("--camera", type=int, help="camera of the images")
    search.add_argument("--other-cameras", action="store_true", help="only entries of other cameras than --camera")
    search.add_argument("--thermal", action="store_true", help="the images are thermal")
    search.add_argument("--shortlist", type=int, default=100, help="entries compared exactly (default: %(default)s)")
    search.add_argument("--rerank", action="store_true", help="re-rank the shortlist (Zhong et al. 2017)")
    search.add_argument("--recall", action="store_true", help="measure what the shortlist loses")
    _condition_option(search)

    delete = add_command(actions, "delete", _delete, "forget entries")
    _gallery_options(delete)
    delete.add_argument("--key", action="append", help="key of an entry; may be given several times")
    delete.add_argument("--compact", action="store_true", help="also take what was deleted off the disk now")
    _condition_option(delete)

    stats = add_command(actions, "stats", _stats, "say how large a gallery is and which model made it")
    _gallery_options(stats)


def _gallery_options(parser, model: bool = False) -> None:
    parser.add_argument("gallery", metavar="GALLERY", help="people.db, or http://host:19530 of a Milvus cluster")
    if model:
        parser.add_argument("--model", required=True, help=".keras file, or the folder of a finished run")
    parser.add_argument("--name", default="people", help="name of the gallery (default: %(default)s)")
    parser.add_argument("--features", metavar="FOLDER", help="folder of a pairwise method's feature maps")
    parser.add_argument("--token", help="token or user:password of a cluster")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def _condition_option(parser) -> None:
    parser.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="CONDITION",
        help="camera=3, time>=60, 'site!=north gate'; several must all hold",
    )


def _open(options, make: bool = False, **more):
    """Opens the gallery; only enrolling makes one, so that a misspelt path is not a new gallery without anybody."""
    from keras_reid.gallery import Gallery

    if not make:
        check_gallery(options)
    model = None
    if getattr(options, "model", None) is not None:
        from keras_reid.methods.loading import load_model

        model = load_model(options.model)
    return Gallery(options.gallery, model, name=options.name, features=options.features, token=options.token, **more)


def _enrol(options) -> int:
    from keras_reid.progress import progress_line

    if options.thermal and not options.images:
        raise ValueError("--thermal is said of --images; a data set says it of each of its images. Leave it out.")
    texts = dict(_pair(text) for text in options.field)
    kept = gallery_fields(options)
    fields = {name: text if (kept or {}).get(name) is str else _value(text) for name, text in texts.items()}
    made = None if kept is not None else {name: type(value) for name, value in fields.items()}
    images = options.images or getattr(load_dataset(options), options.part)
    with _open(options, make=True, fields=made, index=options.index) as gallery:
        done = gallery.enrol(
            images,
            cameras=options.camera,
            times=options.time,
            fields=fields,
            pool=not options.every_frame,
            skip_known=options.skip_known,
            on_bad_image=options.on_bad_image,
            modality=int(options.thermal),
            progress=None if options.json else progress_line("Enrolling"),
        )
        gallery.flush()
        print(json.dumps(dataclasses.asdict(done)) if options.json else f"{done}; the gallery holds {len(gallery)}")
    return 0


def _search(options) -> int:
    from keras_reid.pipeline.inputs import gather
    from keras_reid.retrieval import Rerank

    images = [existing(name) for name, _ in gather(options.images)]
    with _open(options) as gallery:
        found = gallery.search(
            images,
            top_k=options.top,
            where=_condition(gallery, options.where),
            cameras=options.camera,
            other_cameras=options.other_cameras,
            shortlist=options.shortlist,
            modality=int(options.thermal),
            post_process=[Rerank()] * options.rerank,
        )
        if options.recall:
            recall = gallery.shortlist_recall(images, shortlist=options.shortlist, modality=int(options.thermal))
            print(recall, file=sys.stderr if options.json else sys.stdout)
    if options.json:
        matches = [list(map(dataclasses.asdict, row)) for row in found]
        queries = [{"query": name, "matches": row} for name, row in zip(images, matches, strict=True)]
        print(json.dumps(queries, indent=1))
        return 0
    for name, row in zip(images, found, strict=True):
        print(_plain(name))
        for rank, match in enumerate(row, 1):
            known = [
                f"{word} {value}"
                for word in ("camera", "time", "person")
                if (value := getattr(match, word)) is not None
            ]
            known += [f"{word} {value}" for word, value in match.fields.items() if value is not None]
            known += [match.path] * bool(match.path)
            print(f"  {rank:3d}  {match.score:.4f}  {_plain(match.key)}  {_plain(', '.join(known))}")
    return 0


def _delete(options) -> int:
    if bool(options.key) == bool(options.where):
        raise ValueError("Say which entries to delete: by --key or by --where, one of the two.")
    with _open(options) as gallery:
        count = gallery.delete(options.key, where=_condition(gallery, options.where))
        if options.compact:
            gallery.compact()
        left = len(gallery)
    if options.json:
        print(json.dumps({"deleted": count, "entries": left, "compacted": options.compact}))
        return 0
    print(f"{count} deleted, {left} left." + " The gallery was compacted." * options.compact)
    if count and not options.compact:
        print("They are found no more; the same command with --compact takes them off the disk.")
    return 0


def _stats(options) -> int:
    with _open(options) as gallery:
        stats = gallery.stats()
        made_by = str(gallery.made_by)
    if options.json:
        print(json.dumps(stats, indent=1))
        return 0
    fields = ", ".join(f"{name} ({kind})" for name, kind in stats["fields"].items()) or "none"
    lines = {"Entries": stats["entries"], "Made by": made_by, "Index": stats["index"], "Own fields": fields}
    for label, size in (("On the disk", "disk_bytes"), ("Feature maps", "feature_bytes")):
        if size in stats:
            lines[label] = f"{stats[size] / 2**20:.1f} MB"
    for label, value in lines.items():
        print(f"{label + ':':14}{value}")
    return 0


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise ValueError(f"--field takes name=value. Received: {text!r}.")
    return name.strip(), value.strip()


def _condition(gallery, texts: list[str]):
    """One condition of all the texts, each value read as its field's type; None of none."""
    from keras_reid.gallery import field
    from keras_reid.gallery.columns import BUILT_IN

    types = {**{name: column.type for name, column in BUILT_IN.items()}, **gallery.fields}
    conditions = []
    for text in texts:
        parts = _CONDITION.fullmatch(text)
        if parts is None:
            raise ValueError(f"--where takes a field, one of = != < <= > >=, and a value. Received: {text!r}.")
        name, operator, written = parts.groups()
        value = written if types.get(name) is str else _value(written)
        left = field(name)
        conditions.append(
            {
                "=": left == value,
                "==": left == value,
                "!=": left != value,
                "<": left < value,
                "<=": left <= value,
                ">": left > value,
                ">=": left >= value,
            }[operator]
        )
    return reduce(and_, conditions) if conditions else None


def _value(text: str):
    """Numbers, true and false as such; anything else is text."""
    try:
        found = json.loads(text)
    except json.JSONDecodeError:
        return text
    return found if isinstance(found, int | float) else text


def _plain(text: str) -> str:
    """Text of a gallery, without what would steer a terminal."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)

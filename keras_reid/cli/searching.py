"""`keras-reid extract` and `keras-reid rank`."""

import json
import sys
from pathlib import Path

from keras_reid.cli.common import add_command, bad_image_option, existing

__all__ = ["add"]


def add(commands) -> None:
    """Adds the commands to the parser."""
    extract = add_command(commands, "extract", _extract, "write the features of images to a file")
    _model_options(extract)
    extract.add_argument("images", nargs="+", metavar="IMAGES", help="image files, or folders of them")
    extract.add_argument("--out", required=True, metavar="FILE", help="features.npz, or features.csv for embeddings")
    extract.add_argument("--thermal", action="store_true", help="the images are thermal")

    rank = add_command(commands, "rank", _rank, "look for images in a folder, and show what comes first")
    _model_options(rank)
    rank.add_argument("query", metavar="QUERY", help="image to look for, or a folder of them")
    rank.add_argument("gallery", metavar="GALLERY", help="folder of images to look in")
    rank.add_argument("--out", required=True, metavar="FOLDER", help="new folder: a page, a panel per query, a table")
    rank.add_argument("--top", type=int, default=10, help="results per query (default: %(default)s)")
    rank.add_argument("--rerank", action="store_true", help="re-rank by mutual neighbours (Zhong et al. 2017)")
    rank.add_argument("--thermal-query", action="store_true", help="the queries are thermal")
    rank.add_argument("--thermal-gallery", action="store_true", help="the gallery is thermal")
    rank.add_argument("--json", action="store_true", help="print the ranks as JSON")


def _model_options(parser) -> None:
    parser.add_argument("model", metavar="MODEL", help=".keras file, folder of a finished run, or name of a zoo entry")
    parser.add_argument("--weights", help="for a zoo entry: as for `keras-reid train` (default: the published)")
    bad_image_option(parser)


def _extract(options) -> int:
    from keras_reid.feature_extractor import FeatureExtractor, check_feature_file
    from keras_reid.pipeline.inputs import gather

    # What costs nothing comes first: loading a model takes seconds.
    check_feature_file(options.out)
    images = [existing(name) for name, _ in gather(options.images)]
    extractor = FeatureExtractor(options.model, options.weights, on_bad_image=options.on_bad_image)
    extraction = extractor.extract(images, modality=int(options.thermal))
    file = extraction.save(options.out)
    print(f"Features {list(extraction.features.shape)}: {file}")
    return 0


def _rank(options) -> int:
    from keras_reid.checks import check_positive_int
    from keras_reid.cli.panels import check_new_folder, write_panels
    from keras_reid.datasets.folder import list_images
    from keras_reid.feature_extractor import FeatureExtractor
    from keras_reid.pipeline.inputs import gather
    from keras_reid.progress import progress_line

    check_positive_int("top", options.top)
    out = check_new_folder(options.out)
    query = [existing(name) for name, _ in gather(options.query)]
    list_images(Path(options.gallery).expanduser(), recursive=True)  # a folder, and images in it
    quiet = options.json  # standard output is for the JSON alone
    extractor = FeatureExtractor(options.model, options.weights, on_bad_image=options.on_bad_image, progress=not quiet)
    found = _search(
        extractor.model,
        extractor.extract(query, modality=int(options.thermal_query)),
        extractor.extract(options.gallery, modality=int(options.thermal_gallery)),
        options.top,
        options.rerank,
    )
    said = f"Model: {options.model}. Looked in: {options.gallery}." + " Re-ranked." * options.rerank
    write_panels(out, found, said, None if quiet else progress_line("Drawing panels"))
    if options.json:
        print(json.dumps([one.to_dict() for one in found], indent=1))
    print(f"Ranks: {out / 'index.html'}", file=sys.stderr if quiet else sys.stdout)
    return 0


def _search(model, query, gallery, top: int, rerank: bool) -> list:
    """The best of the gallery for each query. An image does not find its own file."""
    from keras_reid import retrieval
    from keras_reid.cli.panels import Found
    from keras_reid.retrieval.top_k import top_k_of_row

    if rerank:
        rows = iter(retrieval.rerank(query.features, gallery.features, score=model.score))
    else:
        blocks = retrieval.score_blocks(model.score, query.features, gallery.features)
        rows = (row for block in blocks for row in block)
    places = {Path(name).resolve(): place for place, name in enumerate(gallery.names)}
    found = []
    for name, scores in zip(query.names, rows, strict=True):
        own = places.get(Path(name).resolve())
        best = [place for place in top_k_of_row(scores, top + 1).tolist() if place != own][:top]
        found.append(Found(name, tuple((gallery.names[place], scores[place]) for place in best)))
    if not any(one.results for one in found):
        raise ValueError(f"The gallery holds nothing but the query itself, {gallery.names[0]!r}. Give other images.")
    return found

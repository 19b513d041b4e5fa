"""README's commands, code and numbers are what they say they are."""

import json
import re
import shlex
from pathlib import Path

from tests.pages import python_blocks, run_blocks

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
RESULTS = ROOT / "benchmarks" / "results"
BEGIN = "<!-- numbers: written by `python -m tests.test_readme`, compared by its test -->\n"
END = "<!-- end of numbers -->"


def result(name: str) -> dict:
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def numbers_table() -> str:
    """The table of costs, from the result files."""
    metrics, rerank, lift, feed = (
        result(name) for name in ("retrieval_metrics", "rerank", "temporal_lift", "input_pipeline")
    )
    step, encoded, lifted = metrics["evaluate_scores"]["step"], rerank["rerank"]["zhong2017"], lift["temporal_lift"]
    cached = feed["one_cpu"]["resized cache"]
    sizes, lift_sizes = metrics["sizes"], lift["sizes"]
    market = f"{sizes['queries']} x {sizes['gallery']}"
    rows = [
        ("what", "size", "CPU time", "beside", "memory above the input", "result file"),
        ("---",) * 6,
        (
            "CMC, mAP and mINP of a score matrix",
            market,
            f"{step['cpu_s']:.2f} s",
            f"{metrics['ratio_to_argsort']['step']:.2f} x `np.argsort` of it",
            f"{step['extra_mb']:.0f} MB",
            "`retrieval_metrics.json`",
        ),
        (
            "re-ranking from features, and its metrics",
            f"{market}, {rerank['sizes']['width']} wide",
            f"{encoded['cpu_s']:.1f} s",
            f"{rerank['ratio']['zhong2017']:.1f} x the feature product and `np.argpartition`",
            f"{encoded['extra_mb']:.0f} MB",
            "`rerank.json`",
        ),
        (
            "TLift",
            f"{lift_sizes['queries']} x {lift_sizes['gallery']}",
            f"{lifted['cpu_s']:.1f} s",
            f"a literal loop takes {lift['times_faster']:.0f} x as long",
            f"{lifted['extra_mb']:.0f} MB",
            "`temporal_lift.json`",
        ),
        (
            "training images from a memory cache",
            "256 x 128",
            f"{1e3 / cached['images_per_cpu_second']:.2f} s per 1000",
            f"a loop over Pillow takes {cached['ratio']:.1f} x as long",
            "",
            "`input_pipeline.json`",
        ),
    ]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"


def test_numbers_are_those_of_the_result_files():
    text = README.read_text(encoding="utf-8")
    written = text.partition(BEGIN)[2].partition(END)[0].strip()
    assert written == numbers_table().strip(), "Run `python -m tests.test_readme`; it writes README's table anew."


def test_first_command_is_the_main_job():
    first = re.search(r"```bash\n(.*?)\n```", README.read_text(encoding="utf-8"), re.DOTALL)[1]
    assert first == 'pip install ".[cpu]" && keras-reid demo'


def test_test_command_can_be_found_by_ci():
    found = re.findall(r"<!-- test command -->\n```bash\n(.*)\n```", README.read_text(encoding="utf-8"))
    assert found == ['pip install ".[cpu,dev]" && pytest']


def test_commands_of_the_shell_exist():
    from keras_reid.cli import _parser

    page = (ROOT / "docs" / "start.md").read_text(encoding="utf-8") + README.read_text(encoding="utf-8")
    commands = [line.partition("#")[0] for line in re.findall(r"^keras-reid .*$", page, re.MULTILINE)]
    assert len(commands) >= 3
    for command in commands:
        _parser().parse_args(shlex.split(command)[1:])


def test_every_named_file_exists():
    names = re.findall(r"`([a-z_]+(?:/[a-z0-9_.]+)*/?)`", README.read_text(encoding="utf-8"))
    missing = [
        name
        for name in names
        if "/" in name
        and not name.startswith("runs/")
        and not any((root / name).exists() for root in (ROOT, ROOT / "keras_reid"))
    ]
    assert not missing, f"README names files that are not there: {missing}."


def test_zoo_table_names_every_entry():
    from keras_reid import methods, zoo

    text = README.read_text(encoding="utf-8")
    unnamed = [name for name in [*zoo.list(), *methods.__all__] if f"`{name}`" not in text and name != "ReIDModel"]
    assert not unnamed, f"README's table of what is inside does not name {unnamed}."


def test_code_runs(small_synthetic):
    assert python_blocks(README)
    run_blocks(README)


def write() -> None:
    before, begin, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    README.write_text(before + begin + "\n" + numbers_table() + "\n" + END + rest.partition(END)[2], encoding="utf-8")


if __name__ == "__main__":
    write()

"""What is known of each round, and the folder that an adaptation can go on from."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from keras_reid.adaptation.clustering import PseudoLabels
from keras_reid.adaptation.credibility import Anchors
from keras_reid.adaptation.pseudo_labels import Stage

__all__ = ["AdaptationFolder", "RoundRecord"]

_FILE = "adaptation.json"
_OF_THE_ROUNDS = ("plan", "clustering", "mining")


@dataclass(frozen=True)
class RoundRecord:
    """One round of an adaptation. Everything in it is the same for a run that was killed and went on.

    Attributes:
        round: Its number, from 1.
        images: Images of the site.
        eps: DBSCAN's radius, the same in all rounds.
        clusters: Pseudo-identities found.
        labelled: Images with a pseudo-identity.
        anchors: Images trained on.
        identities: Pseudo-identities trained on.
        threshold: Least credibility among the anchors.
        learning_rate: The rate that the round began with.
        purity: Share of the labelled images whose cluster is mostly their own person's; ``None`` without true
            identities.
        anchor_purity: The same of the anchors.
        mean_ap_before: Mean average precision before the round; ``None`` if nothing was evaluated.
        rank1_before: Rank-1 before the round.
        mean_ap: Mean average precision after the round.
        rank1: Rank-1 after the round.

    Example:
        >>> from keras_reid.adaptation import RoundRecord
        >>> record = RoundRecord(1, 100, 0.4, 9, 80, 75, 9, -0.5, 5e-4, purity=0.9)
        >>> print(record)
        round 1: 9 clusters of 80 of 100 images, 75 anchors; purity 90.0 %
    """

    round: int
    images: int
    eps: float
    clusters: int
    labelled: int
    anchors: int
    identities: int
    threshold: float
    learning_rate: float
    purity: float | None = None
    anchor_purity: float | None = None
    mean_ap_before: float | None = None
    rank1_before: float | None = None
    mean_ap: float | None = None
    rank1: float | None = None

    def __str__(self) -> str:
        """One line."""
        parts = [
            f"round {self.round}: {self.clusters} clusters of {self.labelled} of {self.images} images, "
            f"{self.anchors} anchors"
        ]
        if self.purity is not None:
            anchors = f" ({self.anchor_purity:.1%} of the anchors)" if self.anchor_purity is not None else ""
            parts.append(f"purity {self.purity:.1%}{anchors}".replace("%", " %"))
        if self.mean_ap is not None:
            parts.append(f"mAP {self.mean_ap_before:.1%} to {self.mean_ap:.1%}".replace("%", " %"))
        return "; ".join(parts)


class AdaptationFolder:
    """The files of an adaptation: what was asked for, the finished rounds, and the round under way.

    ``adaptation.json`` holds settings and records; ``weights_<n>.weights.h5`` the weights after n rounds (0: before the
    first); ``round_<n>/`` the n-th round's pseudo labels, log and training state. Each file appears whole or not at
    all.

    Args:
        folder: Where they live; ``None`` keeps nothing.
        settings: What was asked for.
        resume: Whether to go on with what is there.

    Raises:
        ValueError: The folder holds another adaptation, or none to go on with.

    Example:
        >>> from keras_reid.adaptation.records import AdaptationFolder
        >>> AdaptationFolder(None, {}, resume=False).records
        []
    """

    def __init__(self, folder: str | os.PathLike[str] | None, settings: Mapping[str, Any], resume: bool) -> None:
        self.path = None if folder is None else Path(folder)
        self.settings = json.loads(json.dumps(settings))  # as it comes back from the file: lists for tuples
        self.records: list[RoundRecord] = []
        self.before: dict[str, float] | None = None
        if resume and self.path is None:
            raise ValueError("`resume` goes on with the adaptation in a folder: give it as `out`.")
        if self.path is None:
            return
        if self.path.exists() and not self.path.is_dir():
            raise ValueError(f"{self.path} is a file. Give a folder for the adaptation.")
        file = self.path / _FILE
        if not file.exists():
            if resume:
                raise ValueError(
                    f"There is no adaptation in {self.path} to go on with. Leave `resume` out, or give its folder."
                )
            return
        if not resume:
            raise ValueError(f"{self.path} already holds an adaptation. Give another folder, or resume that one.")
        found = json.loads(file.read_text(encoding="utf-8"))
        # After the source and before the first round's labels the rounds may still be planned otherwise.
        begun = found["records"] or self.stage(0) is not None
        changed = {
            key: (found["settings"].get(key), value)
            for key, value in self.settings.items()
            if found["settings"].get(key) != value and (begun or key not in _OF_THE_ROUNDS)
        }
        if changed:
            raise ValueError(
                f"The adaptation in {self.path} was started otherwise: "
                + "; ".join(f"{key} was {old!r}, now {new!r}" for key, (old, new) in changed.items())
                + ". Resume with the same arguments."
            )
        self.records = [RoundRecord(**record) for record in found["records"]]
        self.before = found["before"]

    @property
    def finished(self) -> int:
        """Number of finished rounds."""
        return len(self.records)

    def round(self, number: int) -> Path | None:
        """The folder of a round, counted from 0; ``None`` if nothing is kept."""
        return None if self.path is None else self.path / f"round_{number + 1}"

    def weights(self, finished: int) -> Path | None:
        """The file of the weights after so many rounds, if there is one."""
        if self.path is None:
            return None
        file = _weights(self.path, finished)
        return file if file.exists() else None

    def keep_weights(self, model: Any, finished: int) -> None:
        """Writes a model's weights as those after so many rounds."""
        if self.path is None:
            return
        self.path.mkdir(parents=True, exist_ok=True)
        unfinished = self.path / "unfinished.weights.h5"
        model.save_weights(unfinished)
        unfinished.replace(_weights(self.path, finished))

    def keep_records(self, records: Sequence[RoundRecord], before: Mapping[str, float] | None) -> None:
        """Writes the records of the finished rounds, and how good the model was before the first."""
        self.records, self.before = list(records), None if before is None else dict(before)
        if self.path is None:
            return
        content = {
            "settings": self.settings,
            "before": self.before,
            "records": [asdict(record) for record in self.records],
        }
        self.path.mkdir(parents=True, exist_ok=True)
        unfinished = self.path / f".{_FILE}.unfinished"
        unfinished.write_text(json.dumps(content, indent=1), encoding="utf-8")
        unfinished.replace(self.path / _FILE)
        for finished in range(self.finished):  # older ones than those just finished
            _weights(self.path, finished).unlink(missing_ok=True)

    def stage(self, number: int) -> Stage | None:
        """The pseudo labels of a round that was begun; ``None`` if there are none."""
        folder = self.round(number)
        if folder is None or not (folder / "pseudo_labels.npz").exists():
            return None
        with np.load(folder / "pseudo_labels.npz") as file:
            labels = PseudoLabels(file["labels"], float(file["eps"]))
            return Stage(labels, Anchors(file["anchors"], float(file["threshold"])))

    def keep_stage(self, number: int, stage: Stage) -> None:
        """Writes the pseudo labels of a round."""
        folder = self.round(number)
        if folder is None:
            return
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / "unfinished.npz"
        np.savez(
            unfinished,
            labels=stage.labels.labels,
            eps=stage.labels.eps,
            anchors=stage.anchors.rows,
            threshold=stage.anchors.threshold,
        )
        unfinished.replace(folder / "pseudo_labels.npz")

    def free(self) -> None:
        """Forgets an adaptation that came to nothing, so that the corrected one can have the folder."""
        if self.path is None or self.finished or self.stage(0) is not None or self.weights(0) is not None:
            return
        if not (self.path / "source" / "state").exists():
            (self.path / _FILE).unlink(missing_ok=True)


def _weights(folder: Path, finished: int) -> Path:
    return folder / f"weights_{finished}.weights.h5"

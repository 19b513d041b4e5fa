"""P x K batches in which every source of a multi-source training set has as many identities."""

from dataclasses import dataclass

import numpy as np

from keras_reid.datasets import ReIDTable
from keras_reid.pipeline.batch import identity_labels
from keras_reid.pipeline.samplers import SAMPLERS, PKSampler

__all__ = ["DomainPKSampler"]


@dataclass(frozen=True)
class DomainPKSampler(PKSampler):
    """P identities with K images each per batch, P / D of them from each of the D domains of the table.

    Without it a large source fills the batches: of the identities of Market-1501, MSMT17, CUHK03 and CUHK-SYSU more
    than four of five are CUHK-SYSU's. Each domain's part of a batch is that of a `PKSampler` on the domain alone. An
    epoch has as many batches as `PKSampler` would make of the whole table: a small domain's identities come several
    times in it, a large domain's not all. The domains follow one another in a batch, in the order of their numbers.

    Args:
        identities: P, the number of identities per batch, a multiple of the number of domains.
        images: K, the number of images per identity.
        passes: As in `PKSampler`: a pass is ``ceil(identities of the table / P)`` batches.

    Raises:
        ValueError: An argument is not a positive integer.

    Example:
        >>> from keras_reid.datasets import ReIDTable
        >>> from keras_reid.pipeline import DomainPKSampler
        >>> persons, domains = [1, 2, 3, 4, 5, 6, 7, 8], [0, 0, 0, 0, 0, 0, 1, 1]
        >>> table = ReIDTable.from_columns([f"/{n}.jpg" for n in range(8)], persons, domain=domains)
        >>> plan = DomainPKSampler(identities=4, images=2).batches(table, seed=0, epoch=0)
        >>> table.domain[plan]
        array([[0, 0, 0, 0, 1, 1, 1, 1],
               [0, 0, 0, 0, 1, 1, 1, 1]], dtype=int32)

    Reference:
        Our choice; that domains are balanced in a batch is common in domain generalisation.
    """

    def batches(self, table: ReIDTable, seed: int, epoch: int) -> np.ndarray:
        """Plans an epoch.

        Args:
            table: The training table; its `domain` column says which source a row is of.
            seed: The run's seed.
            epoch: The epoch's number.

        Returns:
            Row numbers, int64 `[passes * ceil(identities of the table / P), P * K]`.

        Raises:
            ValueError: P is no multiple of the number of domains, or a domain has fewer than P / D identities.
        """
        domains = np.unique(table.domain)
        share, rest = divmod(self.identities, len(domains))
        if rest:
            below = max(self.identities - rest, len(domains))
            raise ValueError(
                f"A batch of {self.identities} identities cannot hold as many of each of {len(domains)} domains. Use "
                f"`identities` that are a multiple of {len(domains)}, e.g. {below}."
            )
        steps = self.passes * -(-identity_labels(table)[1] // self.identities)
        parts = []
        for number, domain in enumerate(domains):
            rows = np.flatnonzero(table.domain == domain)
            own = table.take(rows)
            if own.num_persons < share:
                raise ValueError(
                    f"Domain {domain} has {own.num_persons} identities, and a batch of {self.identities} takes {share} "
                    f"of each of {len(domains)} domains. Use `identities` of at most {own.num_persons * len(domains)}, "
                    "or leave the source out."
                )
            part = PKSampler(share, self.images, passes=-(-steps // -(-own.num_persons // share)))
            # A seed for each domain, so that domains of one size do not go in step.
            plan = part.batches(own, seed * len(domains) + number, epoch)[:steps]
            parts.append(rows[plan])
        return np.concatenate(parts, axis=1)


SAMPLERS["domain_pk"] = DomainPKSampler

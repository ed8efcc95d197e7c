"""The hits of a search in the tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import chain

from resnet_inspect.analysis.browse.outline import Outline, OutlineNode


class SearchHits:
    """The names that match a search, each with the leaves of `outline` it shows."""

    def __init__(self, outline: Outline, leaves_of: Mapping[str, list[int]]) -> None:
        self.outline = outline
        self.leaves_of = leaves_of

    def __len__(self) -> int:
        """Return the number of hits."""
        return len(self.leaves_of)

    @property
    def leaves(self) -> Sequence[int]:
        """All leaves that the search shows, in order."""
        return sorted(chain.from_iterable(self.leaves_of.values()))

    def includes(self, node: OutlineNode) -> bool:
        """Whether a node is a hit."""
        return node.key[1] in self.leaves_of or (
            node.own is not None and self.outline.paths[node.own] in self.leaves_of
        )

    @cached_property
    def _hit_of(self) -> Mapping[int, str]:
        return {leaf: hit for hit, leaves in self.leaves_of.items() for leaf in leaves}

    def below(self, node: OutlineNode) -> int:
        """Return the number of hits below a node."""
        inside = {self._hit_of[leaf] for leaf in node.members}
        return sum(1 for hit in inside if hit.startswith(node.inner))

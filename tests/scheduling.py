"""How `make test` shares the tests out: several processes, which take one group after the other.

pytest-xdist's own groups (`--dist loadgroup`) do nothing under pytest 9.2: https://github.com/pytest-dev/pytest-xdist/issues/1386.
"""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling


class GroupScheduling(LoadScopeScheduling):
    """In the order of the files, the long ones first."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def group_of(nodeid: str) -> str:
    """A file; all of the contract, because its tests share servers. Of both, those on PostgreSQL for themselves."""
    path, _, test = nodeid.partition("::")
    place = "tests/contract" if path.startswith("tests/contract/") else path
    _, _, parameters = test.partition("[")
    return f"{place} on PostgreSQL" if "postgresql" in parameters else place

"""How `make test` distributes the tests: several processes take one group after another.

pytest-xdist's own groups (`--dist loadgroup`) do nothing under pytest 9.2: https://github.com/pytest-dev/pytest-xdist/issues/1386.
"""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling


class GroupScheduling(LoadScopeScheduling):
    """In the order of the files, the long ones first."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def group_of(nodeid: str) -> str:
    """Return the group: a file, or all contract tests, because they share servers. PostgreSQL has separate groups."""
    path, _, test = nodeid.partition("::")
    place = "tests/contract" if path.startswith("tests/contract/") else path
    _, _, parameters = test.partition("[")
    return f"{place} on PostgreSQL" if "postgresql" in parameters else place

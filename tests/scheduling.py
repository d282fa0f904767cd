"""How `make test` distributes the tests: several processes take one group after another.

pytest-xdist's own groups (`--dist loadgroup`) do nothing under pytest 9.2: https://github.com/pytest-dev/pytest-xdist/issues/1386.
"""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

#: The packages whose tests share servers, and a browser. Each process that ran a part of them would start its own.
SHARING = ("tests/browser", "tests/contract")


class GroupScheduling(LoadScopeScheduling):
    """In the order of the files, the long ones first."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def group_of(nodeid: str) -> str:
    """Return the group: a file, or a package whose tests share servers. PostgreSQL has separate groups."""
    path, _, test = nodeid.partition("::")
    package = path.rpartition("/")[0]
    place = package if package in SHARING else path
    _, _, parameters = test.partition("[")
    return f"{place} on PostgreSQL" if "postgresql" in parameters else place

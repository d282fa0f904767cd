"""Progress of a long measurement, on standard error."""

from __future__ import annotations

import sys
import time

_BEGAN_AT = time.monotonic()


def tell(sentence: str) -> None:
    minutes, seconds = divmod(int(time.monotonic() - _BEGAN_AT), 60)
    print(f"{minutes:3}:{seconds:02}  {sentence}", file=sys.stderr, flush=True)

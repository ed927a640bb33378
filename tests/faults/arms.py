"""The controls: workers that do one thing as others do it. The suite has to find each, or its silence proves nothing.

`python -m tests.faults.arms NAME` is such a worker.
"""

import asyncio
import sys
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from pydantic import BaseModel

import worker
from partners import http
from partners.transport import Connection


class ForgetfulConnection(Connection):
    """Sends each call for a step as if it were the first."""

    async def command(self, path: str, content: BaseModel, key: str, expected: Any) -> Any:
        """POST under a key that was never used."""
        if path.endswith("/steps"):
            key = f"{key}/{uuid4().hex[:6]}"
            content = content.model_copy(update={"key": key})
        return await super().command(path, content, key, expected)

    async def look_up(self, path: str, params: dict[str, str], expected: Any) -> Any:
        """GET; of a step nobody has ever heard."""
        return None if path.endswith("/steps") else await super().look_up(path, params, expected)


def keyless() -> None:
    """A new key for each attempt, and no question before it pays again (S13)."""
    vars(http)["Connection"] = ForgetfulConnection


def as_it_is() -> None:
    """Nothing is changed."""


ARMS: dict[str, Callable[[], None]] = {"keyless": keyless}


if __name__ == "__main__":
    ARMS[sys.argv[1]]()
    asyncio.run(worker.main())

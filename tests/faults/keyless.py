"""The control: a worker as others build it, with a new key for each attempt and no question before it pays again.

The suite has to find what it does twice; a suite that does not would find nothing in ours either.
"""

import asyncio
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


if __name__ == "__main__":
    vars(http)["Connection"] = ForgetfulConnection
    asyncio.run(worker.main())

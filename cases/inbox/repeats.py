"""A message that is sent twice is applied once; another one under its id is refused, not swallowed (S31).

Kept is a fingerprint of each message that had a `message_id`: its name, and a digest of all that it said. Everything
counts, `by` and `occurred_at` too, as written or left out; what was left out and what says the default are the same.
"""

from hashlib import sha256

from cases.errors import Refusal
from cases.inbox.messages import REPEATS, Message
from cases.patches import Holds, always


def fingerprint(name: str, message: Message) -> str:
    """The same for the same message, in this release and in one that knows more fields."""
    said = message.model_dump_json(exclude_defaults=True, exclude={"message_id"})
    return f"{name}:{sha256(said.encode()).hexdigest()[:32]}"


def repeated(seen: dict[str, str], name: str, message: Message, holds: Holds = always) -> bool:
    """Return whether this message was applied before. Raise `Refusal` if a different message has the same id."""
    if message.message_id is None or message.message_id not in seen:
        return False
    before, this = seen[message.message_id], fingerprint(name, message)
    if before in ("", this) or not holds(REPEATS):
        return True
    other = before.partition(":")[0]
    how = "with other content" if other == name else f"as {other}"
    other_message = f"{message.message_id} was applied before {how}"
    raise Refusal(f"message_id: {other_message}: this message was not applied, give it an id of its own")


def remember(seen: dict[str, str], name: str, message: Message) -> None:
    """Note that the message was applied."""
    if message.message_id is not None:
        seen[message.message_id] = fingerprint(name, message)

"""Deduplication of messages: a repeated message is applied once, and another one with the same id is refused (S31).

The case keeps a fingerprint of each message with a `message_id`: its name and a digest of its content. All fields
count, also `by` and `occurred_at`. A field that is left out equals one with the default value.
"""

from hashlib import sha256

from cases.errors import Refusal
from cases.inbox.messages import REPEATS, Message
from cases.patches import Holds, always


def fingerprint(name: str, message: Message) -> str:
    """Return the fingerprint of a message. Later releases with more fields return the same."""
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
    raise Refusal(f"message_id: {other_message}: this message was not applied, give it a new id")


def remember(seen: dict[str, str], name: str, message: Message) -> None:
    """Record that the message was applied."""
    if message.message_id is not None:
        seen[message.message_id] = fingerprint(name, message)

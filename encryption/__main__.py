"""`python -m encryption new-key ID` and `new-token`: generate a secret and print it. It is not stored anywhere."""

import argparse
import secrets
import sys

from encryption.keys import KeyFault, new_key
from encryption.server import digest_of


def main() -> int:
    """Print the secret. Return 2 if the id of a key is invalid."""
    parser = argparse.ArgumentParser(prog="python -m encryption", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    key = verbs.add_parser("new-key", help="a key for AFTER_SALES_ENCRYPTION_KEYS or its file")
    key.add_argument("id", help="its name in payloads, such as 2026-11")
    verbs.add_parser("new-token", help="a token for a reader, and its digest for AFTER_SALES_CODEC_TOKENS")
    arguments = parser.parse_args()
    try:
        secret = new_key(arguments.id) if arguments.verb == "new-key" else _new_token()
    except KeyFault as error:
        print(error, file=sys.stderr)  # noqa: T201 (a command-line program)
        return 2
    print(secret)  # noqa: T201 (a command-line program)
    return 0


def _new_token() -> str:
    token = secrets.token_urlsafe(32)
    return f"token (for the reader):     {token}\nSHA-256 (for the settings):  {digest_of(token)}"


if __name__ == "__main__":
    sys.exit(main())

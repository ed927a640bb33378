"""`starter.py key`: create, list and revoke keys of the HTTP API."""

# ruff: noqa: PLC0415 (`--help` must not wait for models and the database)

from contextlib import closing
from typing import Any

import click

from console.arguments import examples, in_json, print_json


@click.group(epilog=examples("key create crm --scope cases:write --scope 'read:*'", "key list"))
def key() -> None:
    """Create, list and revoke keys of the HTTP API (python -m web)."""


@key.command(
    epilog=examples(
        "key create crm --scope cases:write --scope 'messages:*' --scope 'read:*'",
        "key create canteens --scope cases:write --scope read:fresh_food",
        "key create logistics --scope reports --scope line:express",
    )
)
@click.argument("client")
@click.option("--scope", "scopes", multiple=True, required=True, help="What the key may do; may be repeated.")
def create(client: str, scopes: tuple[str, ...]) -> None:
    """Create a key for CLIENT, and print it. It is shown only once.

    Messages that are sent with the key reach cases under the name CLIENT. A client has two live keys at most, so that
    one can replace the other.

    \b
    Scopes:
      cases:write             open cases
      messages:NAME           send this message to cases; messages:* every message
      reports                 send step-reported and satisfaction-reported only (partners)
      read:LINE               read cases of this line; the key then knows no other line; read:* every line
      webhooks                manage webhooks
      line:LINE               the key knows no other line than this one
    """  # noqa: D301 (click takes the character)
    from client.serving import keys
    from policies import known_policies
    from settings import configured

    with closing(keys.opened(configured())) as records:
        click.echo(keys.create(records, client, scopes, known_policies()))


@key.command("list", epilog=examples("key list", "key list --json"))
@in_json
def list_keys(as_json: bool) -> None:
    """Print all keys with their ids, scopes and last use, without secrets."""
    from client.serving import keys
    from settings import configured

    with closing(keys.opened(configured())) as records:
        found = [keys.Key.of(each) for each in records.all_api_keys()]
    rows = [
        {
            "key": each.key_id,
            "client": each.client,
            "scopes": sorted(each.scopes),
            "created_at": each.created_at.isoformat(),
            "last_used_at": each.last_used_at.isoformat() if each.last_used_at else None,
            "revoked_at": each.revoked_at.isoformat() if each.revoked_at else None,
        }
        for each in found
    ]
    if as_json:
        for row in rows:
            print_json(row)
    else:
        _print(rows)


def _print(rows: list[dict[str, Any]]) -> None:
    from rich.table import Table

    from console import reading

    drawn = Table("key", "client", "scopes", "created", "last used", "revoked")
    for row in rows:
        times = (reading.clock(row[name]) for name in ("created_at", "last_used_at", "revoked_at"))
        drawn.add_row(row["key"], reading.plain(row["client"]), reading.plain(row["scopes"]), *times)
    reading.screen().print(drawn)


@key.command(epilog=examples("key revoke 3f9k2m7q0xw1"))
@click.argument("key_id", metavar="KEY")
def revoke(key_id: str) -> None:
    """Revoke KEY, by its id. It is refused from the next request on."""
    from client.serving import keys
    from settings import configured

    with closing(keys.opened(configured())) as records:
        keys.revoke(records, key_id)
    click.echo(f"{key_id} is revoked")

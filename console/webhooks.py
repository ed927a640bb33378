"""`starter.py webhook`: send events to other systems."""

# ruff: noqa: PLC0415 (`--help` must not wait for the database and rich)

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click

from console.arguments import examples, in_json, print_json

if TYPE_CHECKING:
    from client.webhooks.admin import Webhooks

Result = TypeVar("Result")
WEBHOOK = click.argument("webhook_id", metavar="WEBHOOK")
TIME = click.DateTime(["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M%z", "%Y-%m-%dT%H:%M", "%Y-%m-%d"])


@click.group(epilog=examples("webhook add https://example.com/events", "webhook list", "webhook log whk_abc"))
def webhook() -> None:
    """Send events of cases to other systems, and see what was sent."""


def _run(use: "Callable[[Webhooks], Awaitable[Result]]") -> Result:
    """Use the webhooks of our database."""
    import asyncio

    from cases.errors import AfterSalesError
    from client.archive import records_of
    from client.webhooks.admin import OpenDatabase, Webhooks
    from settings import configured

    async def run() -> Result:
        settings = configured()
        with records_of(settings.database_url) as records:
            if records is None:
                raise AfterSalesError("our database does not exist yet: a worker creates it")
            return await use(Webhooks.of(settings, OpenDatabase(records)))

    return asyncio.run(run())


@webhook.command(
    epilog=examples(
        "webhook add https://example.com/events",
        "webhook add https://example.com/events --type case.closed --type promise.broken --line fresh_food",
    )
)
@click.argument("url")
@click.option("--type", "types", multiple=True, help="Only events of this type. May be repeated. Default: all.")
@click.option("--line", "lines", multiple=True, help="Only cases of this line. May be repeated. Default: all.")
@in_json
def add(url: str, types: tuple[str, ...], lines: tuple[str, ...], as_json: bool) -> None:
    """Send events to URL from now on. Prints the id of the webhook, and the secret that signs its events."""
    from console.arguments import one_of
    from policies import known_policies

    known = known_policies() if lines else {}
    for line in lines:
        one_of("--line", line, known)
    shown, secret = _run(lambda webhooks: webhooks.add(url, types, lines))
    if as_json:
        print_json({**shown, "secret": secret})
    else:
        click.echo(f"{shown['id']} added\nsecret: {secret}")


@webhook.command("list", epilog=examples("webhook list", "webhook list --json"))
@in_json
def list_webhooks(as_json: bool) -> None:
    """Print all webhooks."""
    found = _run(lambda webhooks: webhooks.all())
    if as_json:
        for each in found:
            print_json(each)
        return
    for each in found:
        click.echo(f"{each['id']}  {_state(each)}  {each['url']}")
    if not found:
        click.echo("no webhooks")


@webhook.command(epilog=examples("webhook show whk_abc", "webhook show whk_abc --json"))
@WEBHOOK
@in_json
def show(webhook_id: str, as_json: bool) -> None:
    """Print a WEBHOOK: where it leads, what it gets, and how many events wait."""
    found = _run(lambda webhooks: webhooks.show(webhook_id))
    if as_json:
        print_json(found)
        return
    lines = {
        "url": found["url"],
        "state": _state(found),
        "types": ", ".join(found["types"]) or "all",
        "lines": ", ".join(found["lines"]) or "all",
        "waiting": f"{found['waiting']} events",
        "since": found["created_at"],
    }
    for name, value in lines.items():
        click.echo(f"{name:8} {value}")


def _state(found: dict[str, Any]) -> str:
    if found["disabled"]:
        return f"disabled ({found['disabled']})"
    return f"failing since {found['failing_since']}" if found["failing_since"] else "enabled"


@webhook.command(epilog=examples("webhook rotate whk_abc", "webhook rotate whk_abc --hours 0"))
@WEBHOOK
@click.option(
    "--hours", type=click.FloatRange(0, 168), default=24, help="How long the old secret signs too. Default: 24."
)
@in_json
def rotate(webhook_id: str, hours: float, as_json: bool) -> None:
    """Replace the secret of a WEBHOOK. For a day each event has two signatures, the new one first."""
    secret = _run(lambda webhooks: webhooks.rotate(webhook_id, timedelta(hours=hours)))
    if as_json:
        print_json({"id": webhook_id, "secret": secret})
    else:
        click.echo(f"secret: {secret}")


@webhook.command(epilog=examples("webhook disable whk_abc"))
@WEBHOOK
def disable(webhook_id: str) -> None:
    """Send nothing more to a WEBHOOK. Its events are kept until it is enabled."""
    _run(lambda webhooks: webhooks.disable(webhook_id))
    click.echo(f"{webhook_id} disabled")


@webhook.command(epilog=examples("webhook enable whk_abc", "webhook enable whk_abc --from-now"))
@WEBHOOK
@click.option("--from-now", is_flag=True, help="Leave out the events that came while it was disabled.")
def enable(webhook_id: str, from_now: bool) -> None:
    """Send events to a WEBHOOK again, also those that came while it was disabled."""
    _run(lambda webhooks: webhooks.enable(webhook_id, from_now=from_now))
    click.echo(f"{webhook_id} enabled")


@webhook.command(epilog=examples("webhook remove whk_abc"))
@WEBHOOK
def remove(webhook_id: str) -> None:
    """Delete a WEBHOOK, with its log and the events that wait for it."""
    _run(lambda webhooks: webhooks.remove(webhook_id))
    click.echo(f"{webhook_id} removed")


@webhook.command(epilog=examples("webhook ping whk_abc"))
@WEBHOOK
@in_json
def ping(webhook_id: str, as_json: bool) -> int:
    """Send a test event to a WEBHOOK, from this machine. Exit code 1 if it was not accepted."""
    attempt = _run(lambda webhooks: webhooks.ping(webhook_id))
    if as_json:
        print_json({"status": attempt.status, "error": attempt.error})
    else:
        click.echo(attempt.error or f"accepted ({attempt.status})")
    return 1 if attempt.error else 0


@webhook.command(
    epilog=examples("webhook replay whk_abc evt_1 evt_2", "webhook replay whk_abc --since 2026-11-22T09:00+08:00")
)
@WEBHOOK
@click.argument("events", metavar="[EVENT]...", nargs=-1)
@click.option("--since", type=TIME, help="Events that were written from this time on. Without an offset: local time.")
@click.option("--until", type=TIME, help="Events that were written before this time.")
@in_json
def replay(
    webhook_id: str, events: tuple[str, ...], since: datetime | None, until: datetime | None, as_json: bool
) -> None:
    """Send events to a WEBHOOK again: each EVENT by its id, or all of a period. They have the same ids as before."""
    period = [each if each is None or each.tzinfo else each.astimezone() for each in (since, until)]
    count = _run(lambda webhooks: webhooks.replay(webhook_id, events, *period))
    if as_json:
        print_json({"id": webhook_id, "events": count})
    else:
        click.echo(f"{count} event{'' if count == 1 else 's'} will be sent again")


@webhook.command(epilog=examples("webhook log whk_abc", "webhook log whk_abc --state failed --json"))
@WEBHOOK
@click.option("--state", type=click.Choice(["pending", "delivered", "failed"]), help="Only deliveries in this state.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, help="How many. Default: 20.")
@in_json
def log(webhook_id: str, state: str | None, limit: int, as_json: bool) -> None:
    """Print the latest deliveries to a WEBHOOK, the last one first."""
    for each in _run(lambda webhooks: webhooks.log(webhook_id, limit, state)):
        if as_json:
            print_json(each)
        else:
            result = each["error"] or each["status"] or ""
            when = each["last_at"] or each["next_at"]
            click.echo(f"{when}  {each['state']:9}  {each['attempts']}  {each['type']}  {each['event']}  {result}")

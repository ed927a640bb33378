"""`starter.py link`: the customer's link to the page of a case."""

# ruff: noqa: PLC0415 (`--help` must not wait for models and the database)

import click

from console.arguments import CASE, examples


@click.command(epilog=examples("link HL-1", "link HL-1 --revoke"))
@click.argument("case", type=CASE)
@click.option("--by", default="starter.py", help="Your name, for the record.")
@click.option("--revoke", is_flag=True, help="Revoke every link of CASE instead, also those in letters.")
def link(case: str, by: str, revoke: bool) -> None:
    """Print a new link to the customer's page of CASE.

    Whoever has the link is treated as the customer: give it to nobody else. It works for 60 days. Letters have links
    of their own, if AFTER_SALES_LINK_SECRET and AFTER_SALES_PUBLIC_URL are set.
    """
    from client.customer import links
    from settings import configured

    if revoke:
        count = links.revoke(configured(), case)
        click.echo(f"{case}: {count} link{'' if count == 1 else 's'} revoked")
    else:
        click.echo(links.make(configured(), case, by))

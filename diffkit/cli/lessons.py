"""``diffkit lesson``: list the lessons, run them, make the site."""

from __future__ import annotations

import click

from diffkit.cli.output import echo, json_option, terminal_width, wrote
from diffkit.errors import InputError


@click.command(
    epilog="""\b
Examples:
  diffkit lesson
  diffkit lesson 04_finite_differences
  diffkit lesson --all --fast
  diffkit lesson --html site
"""
)
@click.argument("name", required=False)
@click.option("--all", "every", is_flag=True, help="Run every lesson, with a summary at the end.")
@click.option("--fast", is_flag=True, help="Smaller sizes: seconds instead of minutes.")
@click.option("--figures", metavar="DIR", help="Where figures go; figures/ beside the lessons by default.")
@click.option("--html", "site", metavar="DIR", help="Make the site, lessons and documentation, in DIR.")
@click.option("--address", metavar="URL", help="With --html: where the repository is public.")
@json_option
def lesson(
    name: str | None,
    every: bool,
    fast: bool,
    figures: str | None,
    site: str | None,
    address: str | None,
    as_json: bool,
) -> int:
    """Run the lesson NAME (its number or any part of its name is enough). Without NAME, list them."""
    from diffkit import lessons

    if sum([name is not None, every, site is not None]) > 1:
        raise InputError("give a lesson's name, or --all, or --html DIR: one of them")
    if address is not None and (site is None or not address.startswith("https://")):
        raise InputError("--address goes with --html, and is such as https://host/owner/name")
    if site is not None:
        wrote(lessons.make_site(site, fast=fast, address=address), as_json)
        return 0
    if every:
        return lessons.run_all(fast=fast, figures=figures)
    if name is not None:
        lessons.run(lessons.find(name), fast=fast, figures=figures)
        return 0
    listing = lessons.listing()
    echo(listing.json() if as_json else listing.text(terminal_width()))
    return 0

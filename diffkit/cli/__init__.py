"""The command line: ``diffkit compare``, ``draw``, ``step``, ``explore``, ``swell``, ``grade``, ...

One file per group of commands. Whatever goes wrong in a foreseeable way is one sentence on standard
error and exit status 2: never a traceback, never a file half written.
"""

from __future__ import annotations

import os
import sys
from typing import Any, NoReturn

import click

from diffkit import __version__
from diffkit.errors import DiffkitError

__all__ = ["cli", "main"]

# Which file holds a command; it is imported when the command is called or its help is asked for, so
# that `diffkit compare` does not wait for what `diffkit grade` needs.
_COMMANDS = {
    "compare": "diffkit.cli.comparing",
    "draw": "diffkit.cli.drawing",
    "step": "diffkit.cli.drawing",
    "explore": "diffkit.cli.drawing",
    "source": "diffkit.cli.drawing",
    "formula": "diffkit.cli.formula",
    "swell": "diffkit.cli.swell_and_error",
    "error": "diffkit.cli.swell_and_error",
    "accuracy": "diffkit.cli.swell_and_error",
    "lesson": "diffkit.cli.lessons",
    "check": "diffkit.cli.grading",
    "grade": "diffkit.cli.grading",
    "doctor": "diffkit.cli.doctor",
}


class _Commands(click.Group):
    """A group whose commands are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        import importlib

        command: click.Command = getattr(importlib.import_module(_COMMANDS[name]), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], _COMMANDS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(_COMMANDS)}"
            raise click.ClickException(f"no command is called {args[0]!r}; {hint}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # the reader, such as `head`, has seen enough; click would call it a failure
            sys.stderr.close()
            raise click.exceptions.Exit(0) from None


@click.command(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Try `diffkit compare two_outputs`, then `diffkit draw two_outputs --view both -o graph.svg`.",
)
@click.version_option(__version__, "--version", prog_name="diffkit")
def cli() -> None:
    """Differentiation three ways on the same program: symbolic, finite differences, traced."""


def main(args: list[str] | None = None) -> None:
    """Runs the command line and exits: 0 if all went well, 1 if a check failed, 2 for bad input.

    3 is what could not be graded by no fault of the student; 4 a fault of diffkit's own, which is one
    sentence too, and with DIFFKIT_DEBUG set a traceback.
    """
    from diffkit.cli.output import plain_terminal

    with plain_terminal():
        _main(args)


def _main(args: list[str] | None) -> NoReturn:
    try:
        status: Any = cli.main(args=args, prog_name="diffkit", standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        sys.exit(0)
    except click.ClickException as error:
        where = (
            f" (see {error.ctx.command_path} --help)"
            if isinstance(error, click.UsageError) and error.ctx
            else ""
        )
        _complain(error.format_message().rstrip(".") + where)
    except DiffkitError as error:
        _complain(str(error))
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        sys.exit(130)
    except (Exception, SystemExit) as error:  # the latter from a user's function, which called sys.exit
        from diffkit.cli.named_function import where_it_failed

        place = where_it_failed(error)
        if place is not None:
            _complain(place)
        if "DIFFKIT_DEBUG" in os.environ:
            raise
        what = " ".join(str(error).split())
        _complain(
            f"{type(error).__name__}: {what}. This is a fault of diffkit's, not of your function; with "
            "DIFFKIT_DEBUG=1 it tells where",
            status=4,
        )
    sys.exit(status if isinstance(status, int) else 0)


def _complain(message: str, status: int = 2) -> NoReturn:
    color = False if "NO_COLOR" in os.environ else None
    click.secho(f"diffkit: {message}", err=True, fg="red", color=color)
    sys.exit(status)

"""Entry point of `stream-encryptor` and of `python -m dynamodb_stream_encryptor`."""

from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from dynamodb_stream_encryptor.commands import add_all
from dynamodb_stream_encryptor.errors import EXIT_CODES
from dynamodb_stream_encryptor.help_text import Group

app = typer.Typer(
    name="stream-encryptor",
    cls=Group,
    help="Operates the DynamoDB Stream Encryptor: encrypt what is in a table already, watch it, prove it, go back.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
add_all(app)


def _show_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"stream-encryptor {installed_version()}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Carry the options that need no command."""


def installed_version() -> str:
    """Return the version of the installed package; that of a checkout which was never installed is not known."""
    try:
        return version("dynamodb-stream-encryptor")
    except PackageNotFoundError:
        return "(not installed)"


def main() -> None:
    """Run the command that the arguments name, and exit with its code."""
    app()


if __name__ == "__main__":
    main()

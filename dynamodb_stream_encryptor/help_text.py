"""Help as a newcomer reads it: a flag takes no value, so none is named behind it, and text fills its lines."""

from inspect import cleandoc
from typing import Any, Final

from typer.core import TyperCommand, TyperGroup


class Command(TyperCommand):
    """A command whose flags stand in its help without a type."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters; also `--help`, which no signature declares."""
        return _without_types(super().get_params(ctx))


class Group(TyperGroup):
    """A group of commands whose flags stand in its help without a type."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters; also `--help`, which no signature declares."""
        return _without_types(super().get_params(ctx))


def unwrapped(text: str) -> str:
    """Return a docstring with a line a paragraph: where it is wrapped is for the terminal to say."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in cleandoc(text).split("\n\n"))


_NOTHING: Final = ""


def _without_types(parameters: list[Any]) -> list[Any]:
    for parameter in parameters:
        if getattr(parameter, "is_flag", False):
            parameter.metavar = _NOTHING
    return parameters

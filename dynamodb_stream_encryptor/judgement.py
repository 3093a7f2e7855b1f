"""What the control function judges a verification to be, read once into a shape that the rest can rely on."""

from dataclasses import dataclass
from typing import Any, Final

from dynamodb_stream_encryptor.errors import Unreachable

_GOOD: Final = {
    "as-it-should-be": "green",
    "as-it-should-be-by-headers": "yellow",
    "part-as-it-should-be": "yellow",
    "part-as-it-should-be-by-headers": "yellow",
}
"""The verdicts that end with exit code 0, and their styles."""


@dataclass(frozen=True)
class State:
    """How many items are in one state; `wrong` if there should be none."""

    words: str
    items: int
    wrong: bool


@dataclass(frozen=True)
class Judgement:
    """A judged verification; the names are those of the control function's answer."""

    verdict: str
    sentence: str
    findings: tuple[str, ...]
    other_findings: tuple[str, ...]
    states: tuple[State, ...]

    @property
    def good(self) -> bool:
        """Tell whether all is as it should be, at least by the headers, or in the part that encryption is on for."""
        return self.verdict in _GOOD

    @property
    def style(self) -> str:
        """Return the verdict's style on a terminal."""
        return _GOOD.get(self.verdict, "bold red")


def read_judgement(document: Any) -> Judgement:
    """Return the judgement in an answer.

    Raises:
        Unreachable: it is none.
    """
    try:
        return Judgement(
            verdict=str(document["verdict"]),
            sentence=str(document["sentence"]),
            findings=tuple(map(str, document["findings"])),
            other_findings=tuple(map(str, document["otherFindings"])),
            states=tuple(
                State(str(state["words"]), int(state["items"]), bool(state["wrong"])) for state in document["states"]
            ),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Unreachable("The control function judges in an unknown shape.", "unexpected-answer") from error

"""What ends a command, as classes that each stand for one exit code.

::

    0   done, and all is as it should be
    1   done, but what was asked about is not as it should be

    CliError
    ├── NotAsItShouldBe       1   what was asked about is not as it should be, and that is all there is to say
    ├── UsageError            2   an option or argument is wrong
    ├── Unreachable           3   no answer, or none to build on: no such stack, network, credentials, a failed function
    │   └── Interrupted       3   the same, where a later attempt may well succeed
    ├── Refused               4   the system says no: a conflict, or something that the setting forbids
    ├── NotFound              5   the stack was asked, and has no such sweep, dead letter or item
    ├── GaveUpWaiting       124   `watch --wait`: the sweep stands still, or the time is up; the sweep goes on
    └── StoppedFollowing    130   Ctrl-C while a sweep was followed: the sweep goes on
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

OK: Final = 0
NOT_AS_IT_SHOULD_BE: Final = 1

EXIT_CODES: Final = (
    "Exit codes: 0 done and all is well. 1 what was asked about is not as it should be (verify found plaintext, a "
    "sweep stopped). 2 wrong usage. 3 no answer (no such stack, no permission, network, failure). 4 refused (a "
    "conflict, or the setting forbids it). 5 not found (no such sweep, dead letter or item in the stack). 124 "
    "`watch --wait` gave up: the sweep stands still, or the time is up."
)


class CliError(Exception):
    """A command cannot do what was asked; the message says why and what helps.

    Attributes:
        message: one or two sentences, whoever asks.
        code: the control function's code, or one in its style.
        details: more members of the control function's answer.
        shown: the message for whoever types commands: with options as they are typed.
    """

    exit_code: ClassVar[int]
    default_code: ClassVar[str]

    def __init__(
        self, message: str, code: str | None = None, *, details: Mapping[str, Any] | None = None, shown: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.details = details or {}
        self.shown = shown or message


class NotAsItShouldBe(CliError):
    """What was asked about is not as it should be."""

    exit_code = NOT_AS_IT_SHOULD_BE
    default_code = "not-as-it-should-be"


class UsageError(CliError):
    """An option or argument is wrong."""

    exit_code = 2
    default_code = "invalid-request"


class Unreachable(CliError):
    """There is no answer, or none to build on."""

    exit_code = 3
    default_code = "unreachable"


class Interrupted(Unreachable):
    """There is no answer this time: a later attempt may well get one."""

    default_code = "interrupted"


class Refused(CliError):
    """The system says no."""

    exit_code = 4
    default_code = "refused"


class NotFound(CliError):
    """The stack has no such sweep, dead letter or item. A stack that is not found is :class:`Unreachable`.

    A script that looks for an item must not take a mistyped stack for a missing item.
    """

    exit_code = 5
    default_code = "not-found"


class GaveUpWaiting(CliError):
    """The sweep that was waited for stands still, or took longer than it might; it goes on."""

    exit_code = 124  # As the command `timeout` has it.
    default_code = "timed-out"


class StoppedFollowing(CliError):
    """The operator pressed Ctrl-C while a sweep was followed; the sweep goes on."""

    exit_code = 130  # 128 and SIGINT's number, as shells have it.
    default_code = "stopped-following"

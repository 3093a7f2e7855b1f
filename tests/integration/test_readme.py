"""What the documents say is true: their links lead somewhere, their tables are complete, their commands are understood.

The code that they show is run by the slow tests.
"""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from dynamodb_stream_encryptor.__main__ import app
from item_crypto import errors
from item_crypto.errors import PermanentError
from tests.documents import ROOT, TROUBLESHOOTING, text

DOCUMENTS = sorted(path.relative_to(ROOT).as_posix() for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")))


def test_every_marked_block_is_run():
    marked = {name for document in DOCUMENTS for name in re.findall(r"<!-- test: ([\w-]+) -->", text(document))}
    marked.discard("name")  # CONTRIBUTING tells how to mark one.
    run = "".join((ROOT / f"tests/e2e/test_{name}.py").read_text() for name in ("documents", "operating", "orders"))
    assert {name for name in marked if f'"{name}")' not in run} == set()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_somewhere(document: str):
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text(document)):
        if target.startswith(("https://", "http://")):
            continue
        file, _, anchor = target.partition("#")
        path = (ROOT / document).parent / file if file else ROOT / document
        if not path.exists() or (anchor and anchor not in anchors(path)):
            broken.append(target)
    assert broken == []


def anchors(path: Path) -> set[str]:
    """Return what links can point at in a document, as Markdown renderers name it."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_is_named_exists(document: str):
    places = "dynamodb_stream_encryptor|docs|events|examples|functions|layers|local|requirements|tests|\\.ci"
    named = set(re.findall(rf"`((?:{places})/[\w./-]*|[\w-]+\.(?:yaml|toml|md))`", text(document)))
    named |= set(re.findall(r"(events/[\w.-]+\.jsonl?)", text(document)))
    named.discard("events/env.local.json")  # Written by `python -m local up` while it runs.
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_architecture_has_every_file_of_the_core_and_names_no_other():
    rows = re.findall(r"^\| (`[^|]*`) \|", text("docs/architecture.md"), re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([\w/]+\.py)`", row)}
    layer, functions = ROOT / "layers/crypto", ROOT / "functions"
    core = [path for package in ("item_crypto", "encryptor_runtime") for path in (layer / package).rglob("*.py")]
    planning = ROOT / "dynamodb_stream_encryptor/planning"
    places = {ROOT, layer, planning, *(path.parent for path in core), *functions.iterdir()}
    assert [name for name in sorted(named) if not any((place / name).exists() for place in places)] == []
    assert {path.name for path in core} - named <= {"__init__.py"}


def commands(document: str) -> list[str]:
    """Return the operator's commands in a document's code, each in one line."""
    code = re.findall(r"```(?:bash|sh|console)\n(.*?)```", text(document), re.DOTALL)
    prose = re.sub(r"```.*?```", "", text(document), flags=re.DOTALL)
    code += re.findall(r"`(stream-encryptor [^`]+)`", prose)
    lines = [line for piece in code for line in piece.replace("\\\n", " ").splitlines()]
    stripped = [line.strip().removeprefix("$ ") for line in lines]
    return [line for line in stripped if line.startswith("stream-encryptor ")]


@pytest.mark.parametrize("document", [document for document in DOCUMENTS if commands(document)])
def test_every_command_of_the_operator_is_understood(document: str):
    """Parsed as the shell and Typer would, and not run."""
    for line in commands(document):
        arguments = shlex.split(line.replace("stream-encryptor: ", ""), comments=True)[1:]
        command: Any = typer.main.get_command(app)
        if arguments[0] in {option for parameter in command.params for option in parameter.opts}:
            continue  # `--version` and the like, which need no command.
        while hasattr(command, "commands"):
            assert arguments, line
            assert arguments[0] in command.commands, line
            command = command.commands[arguments.pop(0)]
        try:
            command.make_context("stream-encryptor", _complete(command, arguments))
        except Exception as error:  # Typer's own click, or the one beside it
            pytest.fail(f"{line}: {error}")


def _complete(command: Any, arguments: list[str]) -> list[str]:
    """Give a command that prose names without its arguments what it cannot do without."""
    if arguments:
        return arguments
    missing = [parameter for parameter in command.params if parameter.required]
    return [word for one in missing for word in ([one.opts[0]] if one.opts[0].startswith("-") else []) + ["x"]]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_target_that_is_named_exists(document: str):
    targets = set(re.findall(r"^([a-z0-9-]+):", text("Makefile"), re.MULTILINE))
    code = re.findall(r"`([^`\n]+)`", text(document)) + re.findall(r"```bash\n(.*?)```", text(document), re.DOTALL)
    lines = [line for piece in code for line in piece.splitlines() if line.startswith("make ")]
    named = {word for line in lines for word in line.split()[1:] if "=" not in word}
    assert sorted(named - targets) == []


def test_contributing_has_every_make_target():
    targets = set(re.findall(r"^([a-z0-9-]+):.*## ", text("Makefile"), re.MULTILINE))
    assert sorted(target for target in targets - {"help"} if f"`make {target}`" not in text("CONTRIBUTING.md")) == []


def test_every_template_parameter_that_is_given_exists():
    parameters = set(re.findall(r"^  (\w+):\n    Type:", text("template.yaml"), re.MULTILINE))
    lists = [one for d in DOCUMENTS for one in re.findall(r"--parameter-overrides((?:[ \\\n]+\w+=\S+)+)", text(d))]
    given = {name for one in lists for name in re.findall(r"(\w+)=", one)}
    given |= {name for document in DOCUMENTS for name in re.findall(r"`([A-Z]\w*[a-z])=[^`]*`", text(document))}
    assert given >= {"Architecture", "TableName", "TableStreamArn", "KmsKeyArn"}
    assert sorted(given - parameters) == []


def test_troubleshooting_has_every_reason_for_a_dead_letter():
    reasons = {
        kind.reason for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, PermanentError)
    }
    reasons.discard(PermanentError.reason)
    # What a caller of the API is told at once, and no letter ever says.
    reasons -= {errors.EncryptionOff.reason, errors.MessageRefused.reason}
    reasons -= {errors.CallRefused.reason, errors.ExpressionRefused.reason}  # The library's own callers, likewise.
    section = text(TROUBLESHOOTING).partition("## Dead letters")[2].partition("\n## ")[0]
    assert sorted(reason for reason in reasons if f"`{reason}`" not in section) == []


def test_architecture_has_every_metric():
    counted = set()
    for path in (*ROOT.glob("layers/crypto/**/*.py"), *ROOT.glob("functions/*/*.py")):
        counted |= set(re.findall(r'"((?:Items|Kms|Decryptions|Session|Sweeps|Plaintext)[A-Z]\w+)"', path.read_text()))
    table = text("docs/architecture.md").partition("## Telemetry")[2]
    assert len(counted) > 10
    assert sorted(name for name in counted if f"`{name}`" not in table) == []

"""What the documents say is true: their commands run, their links lead somewhere, their tables are complete.

A code block below ``<!-- test: name -->`` is run as it stands, but for the port, since another stack may run beside.
"""

import json
import re
import shlex
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from dynamodb_stream_encryptor.__main__ import app
from item_crypto import errors
from item_crypto.errors import PermanentError
from tests import lisa
from tests.documents import (
    EVENTS,
    FORMAT,
    LIBRARY,
    OPERATING,
    PATIENCE,
    PLAN,
    README,
    RECOVERY,
    ROOT,
    TROUBLESHOOTING,
    TRYING,
    Reader,
    block,
    following,
    text,
)

DOCUMENTS = sorted(path.relative_to(ROOT).as_posix() for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")))


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """The stack that `python -m local up` runs, and the session that is written into it."""
    with following(tmp_path_factory.mktemp("readme")) as reader:
        yield reader


@pytest.fixture(scope="module")
def written(reader: Reader) -> dict[str, Any]:
    """What the README's writer prints: the session as the table holds it in the end."""
    stored: dict[str, Any] = json.loads(reader.python(block(TRYING, "writer"), alone=True))
    return stored


@pytest.fixture(scope="module")
def session() -> dict[str, Any]:
    """The session in the README's example of what goes in."""
    shown: dict[str, Any] = json.loads(example("A writer puts this:"))
    return shown


def example(sentence: str, document: str = README) -> str:
    """Return the first code block after a sentence of a document."""
    after = text(document).partition(sentence)[2]
    found = re.search(r"```\w*\n(.*?)```", after, re.DOTALL)
    assert found, sentence
    return found[1]


def test_the_writer_finds_its_session_encrypted(written: dict[str, Any], session: dict[str, Any]):
    shown = json.loads(example("A moment later the table holds this"))
    assert written.keys() == shown.keys()
    assert written["is_encrypted"] is True
    unencrypted = session.keys() - {"history", "configuration"}
    assert {name: written[name] for name in unencrypted} == {name: session[name] for name in unencrypted}
    assert "landlord" not in json.dumps(written)


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.usefixtures("written")
def test_the_owner_reads_it_with_curl_and_puts_another_one(reader: Reader, session: dict[str, Any]):
    environment, read = block(TRYING, "environment"), block(TRYING, "read")
    answer = reader.bash(environment, read)
    assert json.loads(answer) == session
    assert answer.strip() == example("The owner reads it through the API:").strip()
    as_somebody_else = read.replace("token alice", "token bob")
    assert json.loads(reader.bash(environment, as_somebody_else))["statusCode"] == 404
    without_token = re.sub(r'-H "Authorization[^"]*\$\([^)]*\)"', "", read)
    assert json.loads(reader.bash(environment, without_token)) == {"message": "Unauthorized"}

    api_line = read.splitlines()[0]
    put, listed = (json.loads(line) for line in _documents(reader.bash(environment, api_line, block(TRYING, "put"))))
    assert (put["sessionId"], put["name"]) == ("dlg-2", "A second one")
    assert {(one["sessionId"], one["encrypted"]) for one in listed["sessions"]} == {("dlg-1", True), ("dlg-2", True)}


def _documents(answers: str) -> list[str]:
    """Return the JSON documents that stand one behind the other."""
    decoder, documents = json.JSONDecoder(), []
    while answers:
        _, end = decoder.raw_decode(answers)
        documents.append(answers[:end])
        answers = answers[end:].lstrip()
    return documents


@pytest.mark.usefixtures("written")
def test_support_reads_one_item(reader: Reader, session: dict[str, Any]):
    assert json.loads(reader.bash(block(OPERATING, "decrypt-item")))["history"] == session["history"]


@pytest.mark.usefixtures("written")
def test_a_service_reads_an_item(reader: Reader):
    assert "landlord" in reader.python(block(TRYING, "service"), alone=True)


def test_the_library_encrypts_and_decrypts(reader: Reader):
    assert "encrypted_history" in reader.python(block(LIBRARY, "library"))


def test_the_drop_in_reads_and_writes_in_the_clear(reader: Reader):
    assert "And low tide?" in reader.python(block("docs/readers.md", "drop-in"))


@pytest.mark.usefixtures("written")
def test_a_message_decrypts_without_the_project(reader: Reader, session: dict[str, Any]):
    proof = "\nimport sys\nassert not {'item_crypto', 'local', 'reader'} & sys.modules.keys()\n"
    history = json.loads(reader.python(block(FORMAT, "decrypt") + proof, alone=True))
    assert [message["M"]["content"]["S"] for message in history["L"]] == [m["content"] for m in session["history"]]


@pytest.mark.usefixtures("written")
def test_the_decryption_refuses_another_items_context(reader: Reader):
    code = block(FORMAT, "decrypt").replace('{**key, "purpose"', '{**key, "userId": "bob", "purpose"')
    assert '"userId": "bob"' in code
    with pytest.raises(AssertionError, match="does not match reproduced encryption context"):
        reader.python(code, alone=True)


@pytest.mark.usefixtures("written")
def test_an_envelope_tells_its_key_and_context(reader: Reader):
    printed = reader.python(block(TROUBLESHOOTING, "envelope"))
    assert printed.startswith(f"current {reader.stack['outputs']['KeyArn']} ")
    assert "'purpose': 'session-encryption'" in printed


def test_outputs_are_looked_up_in_the_local_stack(reader: Reader):
    printed = reader.bash(block(TROUBLESHOOTING, "local-output"), "output FailureQueueUrl")
    assert printed.strip() == reader.stack["outputs"]["FailureQueueUrl"]


@pytest.mark.usefixtures("written")
def test_a_restored_table_is_decrypted_with_the_same_key(reader: Reader):
    assert "landlord" in reader.python(block(RECOVERY, "restore"))


def test_a_conflict_is_looked_at_and_removed(reader: Reader):
    key = {"sessionId": "dlg-conflict", "userId": "alice"}
    clients = reader.clients()
    context = key | {"purpose": "session-encryption"}
    newer = lisa.ciphertext(clients.client("kms"), reader.stack["outputs"]["KeyArn"], ["newer"], context)
    table = clients.resource("dynamodb").Table(reader.stack["outputs"]["TableName"])
    old_form = {"encrypted_history": newer, "encryption_version": "1.0", "is_encrypted": True}
    table.put_item(Item={**key, "history": ["older"], **old_form})
    deadline = time.monotonic() + PATIENCE
    while "encrypted_history_conflict" not in table.get_item(Key=key, ConsistentRead=True)["Item"]:
        assert time.monotonic() < deadline, "the migrator did not resolve the conflict"
        time.sleep(0.1)

    assert reader.python(block(TROUBLESHOOTING, "conflict")).strip() == "{'L': [{'S': 'older'}]}"
    shown = reader.bash("stream-encryptor decrypt-item --local " + shlex.quote(json.dumps(key)))
    assert json.loads(shown)["history"] == ["newer"]
    removal = block(TROUBLESHOOTING, "conflict-removed")
    if shutil.which("aws"):
        reader.bash(block(TROUBLESHOOTING, "local-output"), removal)
    else:
        found = re.search(r"--update-expression '(.*)'", removal)
        assert found
        table.update_item(Key=key, UpdateExpression=found[1])
    assert "encrypted_history_conflict" not in table.get_item(Key=key, ConsistentRead=True)["Item"]


@pytest.mark.usefixtures("written")
def test_the_buckets_are_computed_as_told(reader: Reader):
    assert reader.python(block("docs/canary.md", "bucket"), alone=True) == "5666\n"


def test_an_existing_table_is_migrated_and_verified(reader: Reader):
    few = block(OPERATING, "existing").replace("range(600)", "range(24)")
    assert "range(24)" in few
    reader.python(few)
    assert "1 item put." in reader.bash(block(OPERATING, "existing-old-form"))

    before = reader.bash(block(OPERATING, "status"), code=1)
    shown = example("stream-encryptor verify --local\n```", OPERATING)
    for line in shown.splitlines():
        label = line.partition("  ")[0]
        if label in ("table", "attributes", "encryption", "stream mapping", "deferred keys", "key", "point in time"):
            assert label in before
    assert re.search(r"stream mapping +Disabled", before)
    assert re.search(r"^ *24  in plaintext", before, re.MULTILINE)
    assert re.search(r"^ *1  encrypted in the old form", before, re.MULTILINE)

    after = reader.bash(block(OPERATING, "migrate"))
    assert re.search(r"^ *25  encrypted *$", after, re.MULTILINE)
    assert re.search(r"^ *0  in plaintext", after, re.MULTILINE)
    assert re.search(r"As it should be: \d+ items, [1-9]\d* values decrypted, no plaintext and no old form", after)


def test_a_table_of_orders_is_planned(reader: Reader):
    reader.python(block(PLAN, "orders"))
    planned = reader.bash(block(PLAN, "plan"), code=1)
    shown = text(PLAN).partition("<!-- test: plan -->")[2].partition("```console\n")[2].partition("```")[0]
    for line in shown.splitlines():
        if line.startswith(("card", "address", "the whole item", "state", "new writes", "- ", "5", " ")):
            assert without_numbers(line) in without_numbers(planned), line
    assert "2 things in the way, of 501 items looked at." in planned
    assert "2 things in the way, of 501 items looked at." in shown


def without_numbers(words: str) -> str:
    """Return what is said, whatever the numbers: they differ a little with each run."""
    return re.sub(r"\s+", " ", re.sub(r"[\d.,]+", "0", words))


def test_an_administrator_switches_off_through_the_api(reader: Reader):
    if shutil.which("curl") is None:
        pytest.skip("needs curl")
    before, after = map(json.loads, _documents(reader.bash(block(OPERATING, "config"))))
    assert (before["enabled"], before["version"]) == (True, 0)
    assert (after["enabled"], after["version"]) == (False, 1)
    again = _documents(reader.bash(block(OPERATING, "config")))[1]
    assert json.loads(again) == json.loads(example("the answer is 409 with the current version:", OPERATING))
    assert "version 1, by alice" in reader.bash("stream-encryptor config show --local")


@pytest.mark.usefixtures("written")
def test_a_canary_goes_from_off_over_parts_to_all(reader: Reader):
    output = reader.bash(block("docs/canary.md", "canary"))

    states = re.findall(r"^Encryption is (on[^(]*|off) \(", output, re.MULTILINE)
    part = ["on for 1% of the keys only"]
    assert states[-5:] == ["off", *part, *part, "on for 10% of the keys only", "on"]
    assert output.count("Dry run: nothing was changed.") == 1


def test_the_items_of_the_events_are_put(reader: Reader):
    # Last, since it disables the stack's event source mappings.
    assert "items put" in reader.bash(block(EVENTS, "put-items"))


def test_every_marked_block_is_run_here():
    marked = {name for document in DOCUMENTS for name in re.findall(r"<!-- test: ([\w-]+) -->", text(document))}
    marked.discard("name")  # CONTRIBUTING tells how to mark one.
    # What takes long is run by the slow tests.
    run = "".join(
        (ROOT / path).read_text()
        for path in (Path(__file__), "tests/e2e/test_operating.py", "tests/e2e/test_orders.py")
    )
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

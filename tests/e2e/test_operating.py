"""docs/operating.md, followed from its first line to its last on one stack: what it shows is what is printed.

Numbers, ids and times differ from run to run; lines of progress and what stands for ``…`` are left out.
"""

import json
import re
import time
from collections.abc import Iterator

import pytest
from boto3.dynamodb.types import Binary

from tests.documents import OPERATING, TRYING, Reader, block, following, text

ITEMS = 120
PATIENCE = 300.0  # seconds, for a busy machine; a sweep begins some 40 s after a change of the setting

Shown = list[tuple[str, list[str]]]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    with following(tmp_path_factory.mktemp("operating"), "--parameter", "SettingCacheSeconds=1") as reader:
        yield reader


def shown(section: str) -> Shown:
    """Return the commands that a section shows, each with the lines that it is said to print."""
    part = re.search(rf"^#+ {re.escape(section)}$(.*?)(?=^#|\Z)", text(OPERATING), re.DOTALL | re.MULTILINE)
    assert part, section
    commands: Shown = []
    for console in re.findall(r"```console\n(.*?)```", part[1], re.DOTALL):
        lines = console.splitlines()
        for line in lines if lines[0].startswith("$ ") else ():
            if line.startswith("$ "):
                commands.append((line[2:], []))
            else:
                commands[-1][1].append(line)
    return commands


def alike(line: str) -> str:
    """Return a line without what differs from run to run."""
    line = re.sub(r"\d{8}T\d{6}-[0-9a-f]{6}|\d{8}T\d{6}Z|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", line)
    line = re.sub(r"[0-9]{4}-[0-9-]+T[0-9:.]+(Z|\+00:00)", "TIME", line)
    return " ".join(re.sub(r"[0-9][0-9,.]*", "#", line).split())


def assert_printed(expected: list[str], printed: str) -> None:
    """Check that the lines are among those printed, in this order."""
    lines = iter(map(alike, printed.splitlines()))
    for line in map(alike, expected):
        if line in ("", "…") or re.match(r"[\w-]+ ID: # %", line):
            continue
        begins, _, cut = line.partition("…")
        found = any(one == line or (cut is not None and "…" in line and one.startswith(begins)) for one in lines)
        assert found, f"{line!r} was not printed in its place:\n{printed}"


def follow(reader: Reader, command: str, expected: list[str], code: int = 0) -> str:
    printed = reader.bash(command + " 2>&1", code=code, patience=PATIENCE)
    assert_printed(expected, printed)
    return printed


@pytest.fixture(scope="module")
def migrated(reader: Reader) -> Reader:
    """The section on migrating, followed."""
    reader.python(block(OPERATING, "existing").replace("range(600)", f"range({ITEMS})"))
    reader.bash(block(OPERATING, "existing-old-form"), patience=PATIENCE)
    reader.bash(block(OPERATING, "status"), code=1, patience=PATIENCE)
    ((refused, words), *paused) = shown("Migrate, and prove it")
    follow(reader, refused, words, code=4)
    reader.bash(block(OPERATING, "migrate"), patience=PATIENCE)
    reader.python(block(OPERATING, "mapping-on"))
    for command, expected in paused:
        # Slow, so that it can be paused: here are fewer items.
        code = 4 if command.startswith("stream-encryptor verify") else 0
        follow(reader, command.replace("--rate 60", "--rate 2"), expected, code)
    return reader


@pytest.fixture(scope="module")
def switched(migrated: Reader) -> Reader:
    """The section on the switch, followed: off, everything decrypted, and on."""
    for command, expected in shown("Switching encryption off and on"):
        follow(migrated, command, expected)
    return migrated


def test_a_table_is_migrated_and_switched_off_and_on(switched: Reader):
    deadline = time.monotonic() + PATIENCE
    while (
        json.loads(switched.bash("stream-encryptor status --local --json", patience=PATIENCE))["sweeps"][0]["state"]
        != "done"
    ):
        assert time.monotonic() < deadline
        time.sleep(1)
    assert " 0  in plaintext" in switched.bash("stream-encryptor verify --local", patience=PATIENCE)


@pytest.fixture(scope="module")
def told(switched: Reader) -> Reader:
    """The section on dead letters, followed, with two items that cannot be read, of which one is mended."""
    ((listed, letters), (redrive, after), (discard, discarded)) = shown("Dead letters")
    table = switched.clients().resource("dynamodb").Table(switched.stack["outputs"]["TableName"])
    for number in (1, 2):
        poison = {"sessionId": f"poison-{number}", "userId": "mallory", "encrypted_history": "?", "history": ["x"]}
        table.put_item(Item=poison)
    deadline = time.monotonic() + PATIENCE
    while len(json.loads(switched.bash(f"{listed} --json", patience=PATIENCE))["failures"]) < 2:
        assert time.monotonic() < deadline
        time.sleep(1)
    follow(switched, listed, letters)

    table.delete_item(Key={"sessionId": "poison-1", "userId": "mallory"})
    follow(switched, redrive, after, code=1)
    (left,) = json.loads(switched.bash(f"{listed} --json", patience=PATIENCE))["failures"]
    follow(switched, re.sub(r"discard \S+", f"discard {left['id']}", discard), discarded)
    return switched


def test_dead_letters_are_listed_redriven_and_discarded(told: Reader):
    listed = json.loads(told.bash("stream-encryptor failures list --local --json", patience=PATIENCE))
    assert listed["failures"] == []


def test_the_report_is_what_an_auditor_gets(told: Reader):
    ((report, expected),) = shown("Evidence")
    follow(told, report, expected, code=1)
    assert len(list((told.folder / "evidence").glob("*.html"))) == 1


@pytest.fixture(scope="module")
def mended(told: Reader) -> Reader:
    """Without the item that cannot be read."""
    table = told.clients().resource("dynamodb").Table(told.stack["outputs"]["TableName"])
    table.delete_item(Key={"sessionId": "poison-2", "userId": "mallory"})
    return told


def printed_below(name: str) -> list[str]:
    """Return what the page says that a marked block prints."""
    found = re.search(r"```console\n(.*?)```", text(OPERATING).partition(f"<!-- test: {name} -->")[2], re.DOTALL)
    assert found
    return found[1].splitlines()


@pytest.fixture(scope="module")
def rekeyed(mended: Reader) -> Reader:
    """The section on changing the key, followed."""
    old = mended.stack["outputs"]["KeyArn"]
    printed = mended.bash(block(TRYING, "environment"), block(OPERATING, "key-changed"), patience=PATIENCE)
    assert_printed(printed_below("key-changed"), printed)
    assert f"under {old}\n" in printed
    for command, expected in shown("Changing the key"):
        after = follow(mended, command, expected)
    new = json.loads((mended.folder / ".local/stack.json").read_text())["outputs"]["KeyArn"]
    assert new != old
    assert re.findall(r"under (\S+)", after) == [new]
    return mended


@pytest.fixture(scope="module")
def recoded(rekeyed: Reader) -> Reader:
    """The section on how ciphertexts are stored, followed."""
    printed = rekeyed.bash(block(OPERATING, "encoding-changed"), patience=PATIENCE)
    assert_printed(printed_below("encoding-changed"), printed)
    assert "stored as base64" not in printed
    table = rekeyed.clients().resource("dynamodb").Table(rekeyed.stack["outputs"]["TableName"])
    values = [item[name] for item in table.scan()["Items"] for name in item if name.startswith("encrypted_h")]
    assert len(values) >= ITEMS / 2
    assert {type(value) for value in values} == {Binary}
    return rekeyed


@pytest.fixture(scope="module")
def narrowed(recoded: Reader) -> Reader:
    """The section on attributes, followed."""
    refused = recoded.bash(block(OPERATING, "attribute-forgotten").strip() + " 2>&1", code=1)
    assert_printed(printed_below("attribute-forgotten"), refused)
    printed = recoded.bash(block(OPERATING, "attribute-removed"), patience=PATIENCE)
    assert_printed(printed_below("attribute-removed"), printed)
    assert re.search(r"^configuration +[1-9]\d* +0 ", printed, re.MULTILINE)
    assert re.search(r"^history +0 +[1-9]", printed, re.MULTILINE)
    return recoded


def test_the_key_is_changed_and_an_attribute_removed(narrowed: Reader):
    table = narrowed.clients().resource("dynamodb").Table(narrowed.stack["outputs"]["TableName"])
    items = table.scan()["Items"]
    assert len(items) >= ITEMS
    assert not [item for item in items if "encrypted_configuration" in item or "history" in item]


def test_there_is_a_way_back_to_plaintext(narrowed: Reader):
    told = narrowed
    table = told.clients().resource("dynamodb").Table(told.stack["outputs"]["TableName"])
    printed = told.bash(block(OPERATING, "back"), patience=PATIENCE)
    assert "As it should be" in printed
    assert not [item for item in table.scan()["Items"] if any(name.startswith("encrypted_") for name in item)]

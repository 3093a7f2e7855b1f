"""`sam validate` and `sam build`: what is built, and that it works as it is.

The layer and the functions are imported and invoked the way Lambda does, by Python 3.13 with nothing else on the path,
on a local stack. Needs the SAM CLI ($SAM_CLI, or requirements-sam.txt in .venv-sam, or `sam` on the path), make, and a
`python3.13` with pip.
"""

import _imp
import importlib.metadata
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import botocore
import pytest

from local import LocalStack
from local.put import put
from local.sam_environment import sam_environment
from local.sessions import load_sessions
from tests.unit.sam_template import source

ROOT: Final = Path(__file__).parents[2]
MAX_LAYER_BYTES: Final = 50_000_000
"""Of a layer unzipped, compiled; Lambda allows 250 MB for a function and its layers."""

LAYERS: Final = {"x86_64": "CryptoLayerX86", "arm64": "CryptoLayerArm"}
ELF_MACHINES: Final = {"x86_64": 62, "arm64": 183}
WHEEL_MACHINES: Final = {"x86_64": "x86_64", "arm64": "aarch64"}
NEWEST_GLIBC: Final = (2, 34)
"""Of Amazon Linux 2023, which the runtime is on."""

UNCHECKED_HASH: Final = 0b01
"""The flags of byte code that is by its source's hash and never compared with it (PEP 552)."""

SERVED: Final = {
    "StreamEncryptorFunction": json.loads((ROOT / "events/stream-insert.json").read_text()),
    "RetryFunction": json.loads((ROOT / "events/retry-queue.json").read_text()),
    "ReaderFunction": json.loads((ROOT / "events/api-get-session.json").read_text()),
    "ItemReaderFunction": json.loads((ROOT / "events/item-reader.json").read_text()),
    # Of no sweep: it becomes a dead letter.
    "MigratorFunction": json.loads((ROOT / "events/retry-queue.json").read_text()),
    "DeferredFunction": json.loads((ROOT / "events/retry-queue.json").read_text()),
    "ControlFunction": {"command": "status", "by": "test"},
    "WatcherFunction": {},
    "AdminFunction": json.loads((ROOT / "events/api-get-config.json").read_text()),
    "SessionKeysFunction": json.loads((ROOT / "events/api-generate-key.json").read_text()),
    "AdminPageFunction": json.loads((ROOT / "events/api-admin-page.json").read_text()),
}
"""An event for each function."""

INVOKE: Final = """
import importlib, json, sys

told = json.load(sys.stdin)
sys.path[:0] = told["folders"]
compiled, opened = [], []

def look_on(event, arguments):
    if event == "compile" and isinstance(arguments[1], str) and arguments[1].endswith(".py"):
        compiled.append(arguments[1])
    elif event == "open" and isinstance(arguments[0], str):
        opened.append(arguments[0])

class Context:
    aws_request_id = "request-1"
    get_remaining_time_in_millis = staticmethod(lambda: 60_000)

sys.addaudithook(look_on)
module, _, function = told["handler"].rpartition(".")
handler = getattr(importlib.import_module(module), function)
loaded = {name: getattr(module, "__file__", None) for name, module in list(sys.modules.items())}
answer = handler(told["event"], Context())
print(json.dumps({"answer": answer, "loaded": loaded, "compiled": compiled, "opened": opened}))
"""


@dataclass(frozen=True)
class Tools:
    """The SAM CLI and the Python that it builds with."""

    sam: str
    python: str

    def run_sam(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the SAM CLI in the project's folder, with its Python first on the path."""
        path = os.pathsep.join([str(Path(self.python).parent), os.environ["PATH"]])
        environment = os.environ | {
            "PATH": path,
            "SAM_CLI_TELEMETRY": "0",
            "AWS_DEFAULT_REGION": "eu-west-1",
        }
        return subprocess.run(
            [self.sam, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )


@pytest.fixture(scope="module")
def tools() -> Tools:
    in_venv = ROOT / ".venv-sam" / "bin" / "sam"
    sam = os.environ.get("SAM_CLI") or (str(in_venv) if in_venv.exists() else shutil.which("sam"))
    if not sam:
        pytest.skip("no SAM CLI: neither $SAM_CLI nor .venv-sam/bin/sam nor sam on the path")
    for python in (Path(sam).with_name("python3.13"), shutil.which("python3.13")):
        if python and (itself := _itself(python)):
            return Tools(sam, itself)
    pytest.skip("no python3.13, beside the SAM CLI or on the path, for `sam build` to build the layer with")


def _itself(python: str | Path) -> str:
    """Return the interpreter that a command starts, a version manager's too; nothing where it starts none."""
    try:
        done = subprocess.run(
            [python, "-c", "import sys; print(sys.executable)"], capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


@dataclass(frozen=True)
class Build:
    """What `sam build` left."""

    folder: Path

    def layer(self, architecture: str) -> Path:
        """The folder that Lambda puts on the path."""
        return self.folder / LAYERS[architecture] / "python"

    def folders(self, function: str) -> list[Path]:
        """What Lambda puts on a function's path, on this machine."""
        layers = [] if "Layers" in _resource(function).get("IgnoreGlobals", ()) else [self.layer(_machine())]
        return [self.folder / function, *layers]


@pytest.fixture(scope="module")
def build(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """What plain `sam build` makes, of both architectures."""
    folder = tmp_path_factory.mktemp("build")
    done = tools.run_sam("build", "--build-dir", str(folder / "build"), "--cache-dir", str(folder / "cache"))
    assert done.returncode == 0, done.stderr
    return Build(folder / "build")


def test_template_passes_validation_and_lint(tools: Tools):
    done = tools.run_sam("validate", "--lint")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "is a valid SAM Template" in done.stdout


@pytest.mark.parametrize("architecture", LAYERS)
class TestLayer:
    def test_has_the_packages_at_its_root(self, build: Build, architecture: str):
        layer = build.layer(architecture)
        for package in ("item_crypto", "encryptor_runtime"):
            assert _files(layer / package, "*.py") == _files(ROOT / "layers/crypto" / package, "*.py")
        assert not (layer / "python").exists()

    def test_has_nothing_of_its_own_building(self, build: Build, architecture: str):
        root = {path.name for path in build.layer(architecture).iterdir()}
        assert root > {"item_crypto", "botocore"}
        assert not root & {"Makefile", "build_layer.py", "requirements.txt", "bin", "tests"}
        assert [path.name for path in build.layer(architecture).parent.iterdir()] == ["python"]

    def test_is_small(self, build: Build, architecture: str):
        size = sum(file.stat().st_size for file in build.layer(architecture).rglob("*") if file.is_file())
        print(f"layer for {architecture}: {size / 1e6:.1f} MB unzipped")  # noqa: T201
        assert 30_000_000 < size < MAX_LAYER_BYTES

    def test_has_exactly_what_is_pinned(self, build: Build, architecture: str):
        lines = (ROOT / "layers/crypto/requirements.txt").read_text().splitlines()
        pinned = dict(line.split("==") for line in lines if not line.startswith("#"))
        found = importlib.metadata.distributions(path=[str(build.layer(architecture))])
        assert {_normal(one.name): one.version for one in found} == {_normal(name): pinned[name] for name in pinned}

    def test_wheels_are_for_the_architecture_and_run_on_the_runtimes_system(self, build: Build, architecture: str):
        tags = {
            line.removeprefix("Tag: ")
            for wheel in build.layer(architecture).glob("*.dist-info/WHEEL")
            for line in wheel.read_text().splitlines()
            if line.startswith("Tag: ")
        }
        platforms = {tag.rpartition("-")[2] for tag in tags}
        binary = platforms - {"any"}
        assert "any" in platforms
        assert binary
        assert all(platform.endswith(f"_{WHEEL_MACHINES[architecture]}") for platform in binary)
        versions = [platform.split("_")[1:3] for platform in binary if platform.startswith("manylinux_")]
        assert versions
        assert all((int(major), int(minor)) <= NEWEST_GLIBC for major, minor in versions)
        assert all(tag.startswith(("cp313-cp313-", "cp311-abi3-")) for tag in tags if not tag.endswith("-any"))

    def test_binaries_are_for_the_architecture(self, build: Build, architecture: str):
        binaries = list(build.layer(architecture).rglob("*.so*"))
        assert {binary.name.partition(".")[0] for binary in binaries} >= {"_cffi_backend", "_rust", "_pydantic_core"}
        machines = {int.from_bytes(binary.read_bytes()[18:20], "little") for binary in binaries}
        assert all(binary.read_bytes()[:4] == b"\x7fELF" for binary in binaries)
        assert machines == {ELF_MACHINES[architecture]}

    def test_every_module_is_compiled_and_never_compared_with_its_source(self, build: Build, architecture: str):
        _assert_compiled(build.layer(architecture), "/opt/python", at_least=500)


def test_built_template_has_functions_and_layer_of_the_architecture_that_is_deployed(build: Build):
    built = (build.folder / "template.yaml").read_text()
    for logical_id in LAYERS.values():
        assert f"ContentUri: {logical_id}\n" in built


@pytest.mark.parametrize("function", SERVED)
class TestFunction:
    def test_has_every_file_of_ours_and_no_other(self, build: Build, function: str):
        ours = _files(ROOT / "functions", "*")
        assert ours.pop("Makefile")
        assert _files(build.folder / function, "*") == ours

    def test_is_compiled(self, build: Build, function: str):
        _assert_compiled(build.folder / function, "/var/task", at_least=50)


def test_every_function_is_tried():
    functions = {name for name, one in source()["Resources"].items() if one["Type"] == "AWS::Serverless::Function"}
    assert functions == SERVED.keys()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A local stack with the items of the events, whose own triggers are off, and a page for everyone."""
    parameters = {"JwtIssuer": "https://issuer.example.com", "JwtAudience": "sessions", "AdminClientId": "page"}
    with LocalStack(state_directory=tmp_path_factory.mktemp("state"), parameters=parameters) as running:
        announced = {"endpoint_url": running.endpoint_url, "region": running.region, "outputs": running.outputs}
        (running.state_directory / "stack.json").write_text(json.dumps(announced))
        client = running.client("lambda")
        for mapping in client.list_event_source_mappings()["EventSourceMappings"]:
            client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        running.wait_until_idle()
        put(ROOT / "events/items.jsonl", running.state_directory)
        yield running


@dataclass(frozen=True)
class Lambda:
    """Invokes what was built, by the runtime's Python."""

    tools: Tools
    build: Build
    stack: LocalStack

    def invoke(self, function: str, *before: Path) -> dict[str, Any]:
        """Return a function's answer to its event, and what was loaded, compiled and opened meanwhile.

        Args:
            function: the function's logical id.
            before: folders that come first on its path.
        """
        folders = [*before, *self.build.folders(function)]
        told = {
            "folders": [str(folder) for folder in folders],
            "handler": _resource(function)["Properties"]["Handler"],
            "event": SERVED[function],
        }
        environment = sam_environment(self.stack.environments, self.stack.endpoint_url, "127.0.0.1")[function]
        # -I -S: neither this checkout nor any installed package is on the path, as in Lambda. -B: nor is it writable.
        done = subprocess.run(
            [self.tools.python, "-I", "-S", "-B", "-c", INVOKE],
            input=json.dumps(told),
            env={
                **environment,
                "AWS_REGION": self.stack.region,
                "AWS_DEFAULT_REGION": self.stack.region,
                "AWS_ACCESS_KEY_ID": "testing",
                "AWS_SECRET_ACCESS_KEY": "testing",
                "AWS_EC2_METADATA_DISABLED": "true",
                "HOME": os.devnull,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        seen: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return seen


@pytest.fixture(scope="module")
def built_lambda(tools: Tools, build: Build, stack: LocalStack) -> Lambda:
    return Lambda(tools, build, stack)


@pytest.mark.parametrize("function", SERVED)
class TestInvocation:
    def test_serves_from_what_was_built_alone_and_compiles_nothing(self, built_lambda: Lambda, function: str):
        seen = built_lambda.invoke(function)
        _assert_served(function, seen["answer"])
        folders = built_lambda.build.folders(function)
        standard = Path(built_lambda.tools.python).resolve().parents[1] / "lib"
        files = [Path(file) for file in seen["loaded"].values() if file]
        assert all(any(file.resolve().is_relative_to(place) for place in (*folders, standard)) for file in files)
        assert any(file.is_relative_to(folders[0]) for file in files)
        assert seen["compiled"] == []

    def test_asks_botocore_for_nothing_that_was_dropped(self, built_lambda: Lambda, function: str, tmp_path: Path):
        """What the whole botocore and boto3 are asked for is all in the layer."""
        whole = Path(botocore.__file__).parents[1]
        for package in ("botocore", "boto3"):
            (tmp_path / package).symlink_to(whole / package)
        assert (tmp_path / "botocore/data/ec2").is_dir()
        seen = built_lambda.invoke(function, tmp_path)
        _assert_served(function, seen["answer"])
        opened = {
            Path(name).relative_to(tmp_path).as_posix()
            for name in seen["opened"]
            if name.startswith((f"{tmp_path}/botocore/data/", f"{tmp_path}/boto3/data/"))
        }
        assert bool(opened) == (function != "AdminPageFunction")
        layer = built_lambda.build.layer(_machine())
        assert [name for name in sorted(opened) if not (layer / name).is_file()] == []


def test_the_stream_functions_encryption_is_undone_by_the_readers(built_lambda: Lambda):
    (session,) = [one for one in load_sessions(ROOT / "events/items.jsonl") if one["sessionId"] == "dlg-harbour-1"]
    assert built_lambda.invoke("StreamEncryptorFunction")["answer"] == {"batchItemFailures": []}
    client, name = built_lambda.stack.client("dynamodb"), built_lambda.stack.outputs["TableName"]
    stored = client.get_item(TableName=name, Key={"sessionId": {"S": "dlg-harbour-1"}, "userId": {"S": "user-24"}})
    assert stored["Item"]["is_encrypted"] == {"BOOL": True}
    assert not {"history", "configuration"} & stored["Item"].keys()
    assert json.loads(built_lambda.invoke("ReaderFunction")["answer"]["body"])["history"] == session["history"]


def _assert_served(function: str, answer: Any) -> None:
    match function:
        case "StreamEncryptorFunction" | "RetryFunction" | "MigratorFunction" | "DeferredFunction":
            assert answer == {"batchItemFailures": []}
        case "ReaderFunction" | "AdminFunction" | "SessionKeysFunction" | "AdminPageFunction":
            assert answer["statusCode"] == 200, answer
        case "ItemReaderFunction":
            assert answer["Item"]
        case "ControlFunction":
            assert "error" not in answer
        case "WatcherFunction":
            assert answer is None
        case _:
            raise AssertionError(function)


def _assert_compiled(folder: Path, mounted: str, *, at_least: int) -> None:
    sources = list(folder.rglob("*.py"))
    assert len(sources) > at_least
    for module in sources:
        compiled = module.parent / "__pycache__" / f"{module.stem}.cpython-313.pyc"
        code = compiled.read_bytes()
        assert int.from_bytes(code[4:8], "little") == UNCHECKED_HASH, module
        assert code[8:16] == _imp.source_hash(int.from_bytes(code[:4], "little"), module.read_bytes()), module
        # What a traceback names is where Lambda has it.
        assert f"{mounted}/{module.relative_to(folder).as_posix()}".encode() in code, module


def _resource(logical_id: str) -> dict[str, Any]:
    resource: dict[str, Any] = source()["Resources"][logical_id]
    return resource


def _files(folder: Path, pattern: str) -> dict[str, bytes]:
    """Return the files below a folder, by their names, without byte code."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob(pattern)
        if path.is_file() and path.parent.name != "__pycache__"
    }


def _normal(name: str) -> str:
    return name.lower().replace("_", "-")


def _machine() -> str:
    return {"aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)

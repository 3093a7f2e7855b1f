"""`sam validate` and `sam build`, with the layer and the functions imported the way Lambda does.

Needs the SAM CLI ($SAM_CLI, or requirements-sam.txt in .venv-sam, or `sam` on the path) and a `python3.13`.
"""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAX_LAYER_BYTES = 70_000_000
HANDLERS = {
    "StreamEncryptorFunction": ("stream_encryptor/handler.py", "stream_encryptor/retry.py"),
    "RetryFunction": ("stream_encryptor/handler.py", "stream_encryptor/retry.py"),
    "ReaderFunction": ("reader/handler.py", "reader/item.py"),
    "ItemReaderFunction": ("reader/handler.py", "reader/item.py"),
    "MigratorFunction": ("migrator/sweep.py",),
    "DeferredFunction": ("migrator/deferred.py",),
    "ControlFunction": ("migrator/control.py",),
    "AdminFunction": ("admin/handler.py",),
    "SessionKeysFunction": ("session_keys/handler.py",),
    "AdminPageFunction": ("admin_page/handler.py",),
}
ELF_MACHINES = {"x86_64": 62, "arm64": 183}


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
    """What `sam build` left, and for which architecture."""

    folder: Path
    architecture: str

    @property
    def layer(self) -> Path:
        """The folder that Lambda puts on the path."""
        return self.folder / "CryptoLayer" / "python"


@pytest.fixture(scope="module", params=["x86_64", "arm64"])
def build(request: pytest.FixtureRequest, tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Build:
    folder = tmp_path_factory.mktemp(f"build-{request.param}")
    done = tools.run_sam(
        "build",
        "--build-dir",
        str(folder / "build"),
        "--cache-dir",
        str(folder / "cache"),
        "--parameter-overrides",
        f"Architecture={request.param}",
    )
    assert done.returncode == 0, done.stderr
    return Build(folder / "build", request.param)


def test_template_passes_validation_and_lint(tools: Tools):
    done = tools.run_sam("validate", "--lint")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "is a valid SAM Template" in done.stdout


def test_layer_has_the_package_at_its_root(build: Build):
    assert (build.layer / "item_crypto" / "__init__.py").is_file()
    assert not (build.layer / "python").exists()


def test_layer_is_small(build: Build):
    size = sum(file.stat().st_size for file in build.layer.rglob("*") if file.is_file())
    print(f"layer for {build.architecture}: {size / 1e6:.1f} MB unzipped")  # noqa: T201
    assert size < MAX_LAYER_BYTES


def test_layer_ships_no_tests_of_ours(build: Build):
    shipped = {file.name for file in (build.layer / "item_crypto").rglob("*.py")}
    assert shipped
    assert not [name for name in shipped if name.startswith(("test_", "conftest"))]
    assert not (build.layer / "tests").exists()


def test_binaries_are_for_the_architecture_that_was_asked_for(build: Build):
    binaries = list(build.layer.rglob("*.so"))
    machines = {int.from_bytes(binary.read_bytes()[18:20], "little") for binary in binaries}
    assert machines == {ELF_MACHINES[build.architecture]}


def test_built_template_says_the_architecture_the_layer_was_built_for(build: Build):
    built = (build.folder / "template.yaml").read_text()
    assert f"BuildArchitecture: {build.architecture}\n" in built


@pytest.mark.parametrize(("function", "files"), HANDLERS.items())
def test_functions_hold_their_handlers(build: Build, function: str, files: tuple[str, ...]):
    for file in files:
        assert (build.folder / function / file).is_file()


def test_layer_and_handlers_import_with_nothing_else_on_the_path(build: Build, tools: Tools):
    if build.architecture != _machine():
        pytest.skip(f"this machine is not {build.architecture}")
    modules = [
        "item_crypto",
        "aws_encryption_sdk",
        "aws_lambda_powertools",
        "pydantic",
        "stream_encryptor.handler",
        "stream_encryptor.retry",
        "reader.handler",
        "reader.item",
        "migrator.sweep",
        "migrator.deferred",
        "migrator.control",
        "admin.handler",
        "session_keys.handler",
    ]
    program = f"""
import importlib, json, sys
sys.path[:0] = [{str(build.layer)!r}, {str(build.folder / "StreamEncryptorFunction")!r}]
print(json.dumps({{name: importlib.import_module(name).__file__ for name in {modules!r}}}))
"""
    # -I -S: neither this checkout nor any installed package is on the path, as in Lambda.
    done = subprocess.run(
        [tools.python, "-I", "-S", "-c", program],
        env={"AWS_DEFAULT_REGION": "eu-west-1", "HOME": os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    origins = json.loads(done.stdout.splitlines()[-1])
    assert all(Path(origin).is_relative_to(build.folder) for origin in origins.values())


def test_admin_pages_function_holds_the_page_as_it_is_committed(build: Build):
    committed = _files(ROOT / "functions/admin_page/static")
    assert _files(build.folder / "AdminPageFunction" / "admin_page/static") == committed
    assert "index.html" in committed


def test_admin_pages_handler_imports_without_the_layer(build: Build, tools: Tools):
    program = f"""
import sys
sys.path.insert(0, {str(build.folder / "AdminPageFunction")!r})
import admin_page.handler
"""
    done = subprocess.run([tools.python, "-I", "-S", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _machine() -> str:
    return {"aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)

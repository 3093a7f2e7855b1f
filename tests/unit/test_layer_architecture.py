import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import encryptor_runtime
from encryptor_runtime.architecture import check_architecture

BINARY = "_cffi_backend.cpython-313-{}-linux-gnu.so"


def layer(folder: Path, processor: str) -> Path:
    (folder / BINARY.format(processor)).touch()
    return folder


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_layer_when_it_was_built_for_the_processor_it_runs_on_then_it_is_imported(tmp_path: Path, machine: str) -> None:
    check_architecture(layer(tmp_path, machine), machine)


@pytest.mark.parametrize(
    ("built", "machine", "sentence"),
    [
        ("x86_64", "aarch64", "built for x86_64, and the function runs on arm64"),
        ("aarch64", "x86_64", "built for arm64, and the function runs on x86_64"),
    ],
)
def test_layer_when_it_was_built_for_another_processor_then_refused_with_the_mend(
    tmp_path: Path, built: str, machine: str, sentence: str
) -> None:
    with pytest.raises(ImportError, match=f"{sentence}: give pip packages for"):
        check_architecture(layer(tmp_path, built), machine)


def test_folder_when_it_has_no_binaries_then_it_is_a_checkout_and_no_layer(tmp_path: Path) -> None:
    check_architecture(tmp_path, "aarch64")


def test_layer_when_it_was_built_for_another_processor_then_a_function_that_imports_it_stops_there(
    tmp_path: Path,
) -> None:
    package = Path(encryptor_runtime.__file__).parent
    shutil.copytree(package, tmp_path / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    layer(tmp_path, "x86_64" if platform.machine() == "aarch64" else "aarch64")

    started = subprocess.run(
        [sys.executable, "-c", f"import {package.name}"],
        cwd=tmp_path,
        env={},
        check=False,
        capture_output=True,
        text=True,
    )

    assert started.returncode == 1
    assert "ImportError: the layer was built for" in started.stderr
    assert "do `sam build` and `sam deploy` again" in started.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="Lambda runs Linux's binaries")
def test_binary_when_pip_installs_it_then_it_has_the_name_that_is_looked_for() -> None:
    import _cffi_backend

    assert Path(_cffi_backend.__file__ or "").match("_cffi_backend.*-linux-*.so")

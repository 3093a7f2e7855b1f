"""What a layer keeps of what pip installs, and for whom it is built; tests/e2e/test_sam_build.py builds it."""

import ast
import shutil
import subprocess
from pathlib import Path

import pytest

import build_layer

ROOT = Path(__file__).parents[2]
LAYER = ROOT / "layers/crypto"
SHIPPED = [*LAYER.glob("*/**/*.py"), *ROOT.glob("functions/*/*.py")]


def asked_for(path: Path) -> set[str]:
    """Return the services that a module makes clients or resources of, by name."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    return {
        ast.literal_eval(call.args[0])
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in ("client", "resource", "create_client", "get_paginator_model", "get_service_model")
        and call.args
    }


def test_the_services_that_are_kept_are_those_that_the_code_asks_for():
    assert set().union(*map(asked_for, SHIPPED)) == build_layer.SERVICES


def test_what_is_dropped_is_what_nobody_asks_for(tmp_path: Path):
    kept = [
        "botocore/data/endpoints.json",
        "botocore/data/partitions.json",
        "botocore/data/kms/2014-11-01/service-2.json.gz",
        "boto3/data/dynamodb/2012-08-10/resources-1.json",
        "boto3/session.py",
        "six.py",
        "six-1.0.dist-info/METADATA",
    ]
    dropped = [
        "bin/jp.py",
        "boto3/data/ec2/2016-11-15/resources-1.json",
        "boto3/examples/cloudfront.rst",
        "botocore/data/ec2/2016-11-15/examples-1.json",
        "botocore/data/ec2/2016-11-15/service-2.json.gz",
        "botocore/data/kms/2014-11-01/examples-1.json",
        "six-1.0.dist-info/RECORD",
        "wrapt-stubs/__init__.pyi",
    ]
    for name in (*kept, *dropped):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    build_layer.drop(build_layer.unused(tmp_path))
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()) == sorted(
        kept
    )


def test_another_version_of_python_is_refused_before_anything_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(build_layer, "PYTHON", (2, 7))
    with pytest.raises(SystemExit, match=r"the layer is for Python 2\.7, and this is 3\."):
        build_layer.main(["x86_64", "requirements.txt", str(tmp_path / "layer")])
    assert not (tmp_path / "layer").exists()


@pytest.mark.parametrize("folder", ["layers/crypto", "functions"])
def test_without_the_layers_python_make_says_what_is_missing(folder: str, tmp_path: Path):
    """SAM CLI shows what make writes to standard error."""
    target = "build-CryptoLayerX86" if folder.startswith("layers") else "build-StreamEncryptorFunction"
    make = shutil.which("make")
    assert make
    done = subprocess.run(
        [make, target],
        cwd=ROOT / folder,
        env={"PATH": str(tmp_path), "ARTIFACTS_DIR": str(tmp_path / "artifacts")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "python3.13" in done.stderr
    assert "on the path" in done.stderr
    assert not (tmp_path / "artifacts").exists()

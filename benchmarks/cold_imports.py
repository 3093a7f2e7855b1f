"""What a cold start spends on imports: each handler of the built application, by the Python that Lambda runs.

`sam build` puts the application into `.aws-sam/build`, with a template that tells which folder is which function's. An
interpreter of the template's version imports a handler from there, as in Lambda: the function's folder on the path,
those of the layers that it has by the parameters' defaults, and nothing else. No file is written, since /opt and
/var/task are read-only there.
"""

import platform
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from samtranslator.yaml_helper import yaml_parse

from benchmarks.spread import Spread
from local.template import layers_of
from local.template_rules import condition_holds

_LAYER: Final = "AWS::Serverless::LayerVersion"
_FUNCTION: Final = "AWS::Serverless::Function"

_PROGRAM: Final = """
import sys, time
sys.path[:0] = sys.argv[2:]
started = time.process_time()
__import__(sys.argv[1])
print(time.process_time() - started, len(sys.modules))
"""


class NotBuilt(Exception):
    """There is nothing to measure; the text says what is missing."""


@dataclass(frozen=True)
class Handler:
    """One function as it was built.

    Attributes:
        name: its logical id.
        module: the module of its handler.
        path: folders that Python looks for modules in: its own, and those of the layers that it has by default.
    """

    name: str
    module: str
    path: tuple[Path, ...]


@dataclass(frozen=True)
class Built:
    """The application as `sam build` left it.

    Attributes:
        folder: where.
        runtime: the version of Python, such as ``3.13``.
        handlers: its functions.
        layers: the layers' folders, by logical id.
    """

    folder: Path
    runtime: str
    handlers: tuple[Handler, ...]
    layers: Mapping[str, Path]


def find(folder: Path) -> Built:
    """Return what `sam build` left in ``folder``.

    Raises:
        NotBuilt: there is nothing.
        TemplateError: a condition of its template cannot be evaluated here.
    """
    template = folder / "template.yaml"
    if not template.exists():
        raise NotBuilt(f"nothing is built in {folder.parent.name}/{folder.name}: run sam build before")
    document = yaml_parse(template.read_text(encoding="utf-8"))
    shared = document.get("Globals", {}).get("Function", {})
    found = document["Resources"]
    architecture = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
    layers = {
        name: folder / resource["Properties"]["ContentUri"]
        for name, resource in found.items()
        if resource["Type"] == _LAYER and _is_for(resource, architecture)
    }
    present = {name for name in layers if _is_present(document, found[name], architecture)}
    handlers = []
    for name, resource in found.items():
        if resource["Type"] == _FUNCTION:
            properties = {**shared, **resource["Properties"]}
            used = (layers[layer] for layer in layers_of(resource, shared) if layer in present)
            path = (folder / properties["CodeUri"], *(layer / "python" for layer in used))
            handlers.append(Handler(name, properties["Handler"].rpartition(".")[0], path))
    return Built(folder, shared["Runtime"].removeprefix("python"), tuple(handlers), layers)


def _is_for(layer: Mapping[str, Any], architecture: str) -> bool:
    named = layer["Properties"].get("CompatibleArchitectures", [])
    return not named or architecture in named


def _is_present(document: Mapping[str, Any], layer: Mapping[str, Any], architecture: str) -> bool:
    """Tell whether a stack of the parameters' defaults has a layer, on a processor of that architecture."""
    if "Condition" not in layer:
        return True
    values = {name: str(slot["Default"]) for name, slot in document["Parameters"].items() if "Default" in slot}
    return condition_holds(document, layer["Condition"], values | {"Architecture": architecture})


def measure(built: Built, rounds: int) -> dict[str, Any]:
    """Import each handler so many times in a new interpreter, and return results.json's ``coldImports``.

    Raises:
        NotBuilt: there is no interpreter of that version, or a handler cannot be imported by it.
    """
    python = shutil.which(f"python{built.runtime}")
    # A version manager leaves a name on the path also where it runs nothing.
    if python is None or subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode:  # noqa: S603 - as below
        raise NotBuilt(f"there is no python{built.runtime} on the path that runs, which the layer was built for")
    return {handler.name: _imported(python, handler, rounds) for handler in built.handlers}


def _imported(python: str, handler: Handler, rounds: int) -> dict[str, Any]:
    times, modules = [], 0
    for _ in range(rounds):
        # -I and -S: nothing of the user's or of the interpreter's own packages. -B: nothing is written.
        command = [python, "-I", "-S", "-B", "-c", _PROGRAM, handler.module, *map(str, handler.path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - named by the template
        if done.returncode:
            raise NotBuilt(f"{handler.name} cannot be imported: {done.stderr.strip().splitlines()[-1]}")
        seconds, count = done.stdout.split()
        times.append(float(seconds))
        modules = int(count)
    return {"cpuSeconds": Spread.of(times).as_json(), "modules": modules}


def layer_sizes(built: Built) -> dict[str, Any]:
    """Return results.json's ``layers``: bytes of each layer's files unzipped, and how many of them are compiled."""
    return {name: _size(folder) for name, folder in built.layers.items() if folder.exists()}


def _size(folder: Path) -> dict[str, int]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    compiled = [path for path in files if path.suffix == ".pyc"]
    return {
        "bytes": sum(path.stat().st_size for path in files),
        "compiledBytes": sum(path.stat().st_size for path in compiled),
        "compiledFiles": len(compiled),
        "sourceFiles": sum(path.suffix == ".py" for path in files),
    }

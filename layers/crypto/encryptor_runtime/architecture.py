"""Whether the layer was built for the processor that it runs on.

`sam build` builds a layer for each architecture, and CloudFormation takes the one of the functions'. But whoever puts
packages of their own into a layer may take those of the build machine, and then the first import of a binary fails with
a sentence of the loader's. So this is checked before any such import, and imports nothing but the standard library.
"""

import platform
from pathlib import Path
from typing import Final

_NAMES: Final = {"x86_64": "x86_64", "aarch64": "arm64"}
"""Processors as binaries are named for them, and what the parameter calls them."""


def check_architecture(folder: Path, machine: str | None = None) -> None:
    """Check the binaries in ``folder``, where the layer has its packages; a folder without any is no layer.

    Args:
        folder: the folder.
        machine: the processor, such as ``aarch64``; the one of this machine where None is given.

    Raises:
        ImportError: they are for another processor.
    """
    machine = machine or platform.machine()
    # cffi's, which the AWS Encryption SDK needs, lies at the top: _cffi_backend.cpython-313-x86_64-linux-gnu.so.
    for binary in folder.glob("_cffi_backend.*-linux-*.so"):
        built = next((name for name in _NAMES if f"-{name}-" in binary.name), None)
        if built is not None and built != machine:
            wanted, found = _NAMES.get(machine, machine), _NAMES[built]
            raise ImportError(
                f"the layer was built for {found}, and the function runs on {wanted}: give pip packages for {wanted} "
                "when the layer is built (layers/crypto/build_layer.py), and do `sam build` and `sam deploy` again"
            )

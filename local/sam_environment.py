"""What `sam local invoke --env-vars` takes, so that functions in containers work on a running stack."""

from collections.abc import Mapping
from pathlib import Path

from local.state import ROOT, STATE_DIRECTORY

Environments = dict[str, dict[str, str]]


def sam_environment(environments: Mapping[str, Mapping[str, str]], endpoint_url: str, host: str) -> Environments:
    """Return each function's variables by its logical id, with addresses that lead to the stack from `host`.

    SAM CLI passes on only variables that template.yaml declares; credentials and Region it takes from its caller.
    """
    outside = endpoint_url.replace("127.0.0.1", host)
    return {
        logical_id: {name: text.replace(endpoint_url, outside) for name, text in variables.items()}
        | {"AWS_ENDPOINT_URL": outside}
        for logical_id, variables in environments.items()
    }


def sam_environment_file(state_directory: Path) -> Path:
    """Return where `up` keeps it: beside the events, or for a stack with a state directory of its own in there."""
    return (ROOT / "events" if state_directory == STATE_DIRECTORY else state_directory) / "env.local.json"

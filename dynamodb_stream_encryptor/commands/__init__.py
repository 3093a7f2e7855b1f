"""The commands, one file a group. Each turns options into one request, and its answer into words and an exit code."""

import typer

from dynamodb_stream_encryptor.commands import config, failures, item, plan, report, running, status, sweeps, tenants

GROUPS = (plan, status, sweeps, running, failures, config, tenants, item, report)


def add_all(app: typer.Typer) -> None:
    """Add every command to the application, in the order of its help."""
    for group in GROUPS:
        group.add(app)

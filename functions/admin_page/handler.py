"""Lambda entry point for the admin page (payload 2.0)."""

import os
from functools import cache
from typing import Any

from admin_page.files import STATIC, PageFiles
from admin_page.page import AdminPage
from admin_page.settings import PageSettings


@cache
def admin_page() -> AdminPage:
    """Return the page for this process's environment; raise ``CannotStart``, which fails the invocation."""
    return AdminPage(PageFiles.in_folder(STATIC), PageSettings.from_environment(os.environ))


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda calls with both
    """Answer one request of a browser."""
    return admin_page().answer(event)

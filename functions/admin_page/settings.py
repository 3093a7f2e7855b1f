"""The settings of the page, from the function's environment; template.yaml sets every one of them, AWS the Region."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from admin_page.errors import CannotStart


@dataclass(frozen=True)
class PageSettings:
    """What the page is told. Nothing of it is a secret: anyone may ask for it.

    Attributes:
        issuer: who signs administrators in, as tokens name it.
        client_id: the page's id there.
        scopes: what it asks for, with spaces between them.
        metadata_url: where the issuer's metadata is, or "" for the place that the standard gives it.
        sign_in_origins: origins that the page may reach beside its own and that of the metadata.
        group: the administrators' group, for a sentence to those who are not in it.
        region: the stack's Region.
        stack: the stack's name.
    """

    issuer: str
    client_id: str
    scopes: str
    metadata_url: str
    sign_in_origins: tuple[str, ...]
    group: str
    region: str
    stack: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "PageSettings":
        """Return the settings in ``environment``.

        Raises:
            CannotStart: one is missing.
        """
        origins = environment.get("SIGN_IN_ORIGINS", "").split(",")
        return cls(
            issuer=_required(environment, "JWT_ISSUER"),
            client_id=_required(environment, "ADMIN_CLIENT_ID"),
            scopes=_required(environment, "SIGN_IN_SCOPES"),
            metadata_url=environment.get("OIDC_METADATA_URL", "").strip(),
            sign_in_origins=tuple(origin.strip() for origin in origins if origin.strip()),
            group=_required(environment, "ADMIN_GROUP"),
            region=_required(environment, "AWS_REGION"),
            stack=_required(environment, "STACK_NAME"),
        )

    @property
    def reachable(self) -> tuple[str, ...]:
        """The origins that the page may reach beside its own: of the metadata, and those that are given."""
        url = urlsplit(self.metadata_url or self.issuer)
        return tuple(dict.fromkeys((f"{url.scheme}://{url.netloc}", *self.sign_in_origins)))

    def document(self) -> dict[str, Any]:
        """Return what the page reads at its start."""
        return {
            "issuer": self.issuer,
            "clientId": self.client_id,
            "scope": self.scopes,
            "metadataUrl": self.metadata_url or None,
            "apiUrl": "",  # The page's own origin.
            "groupHint": self.group,
            "region": self.region,
            "stack": self.stack,
        }


def _required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "").strip()
    if not value:
        raise CannotStart(f"{name} is not set")
    return value

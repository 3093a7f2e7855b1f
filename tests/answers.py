"""An HTTP answer as AWS gives it, for tests that answer a client's requests in place of a service."""

import json
from io import BytesIO
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders


def http_answer(request: Any, status: int, document: dict[str, Any]) -> AWSResponse:
    """Return an HTTP response with a JSON body."""
    return AWSResponse(request.url, status, HTTPHeaders(), _Body(json.dumps(document).encode()))


class _Body(BytesIO):
    def stream(self, **_: Any) -> Any:
        yield self.read()

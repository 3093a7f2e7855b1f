"""boto3's two styles: the client's DynamoDB JSON, and the Python values and condition objects of its resources."""

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from boto3.dynamodb.transform import ParameterTransformer, TransformationInjector
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from item_crypto.dropin.reads import Answer, Request

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_VALUE: Final = "AttributeValue"


class ClientCalls:
    """The calls of a boto3 client, whose style is the one that everything here is in.

    Args:
        client: the client; it is used, never changed.
    """

    def __init__(self, client: "DynamoDBClient") -> None:
        self._client: Any = client

    def send(self, operation: str, request: Request) -> Answer:
        """Return the answer to the operation of boto3's name; raises what boto3 raises."""
        answer: Answer = getattr(self._client, operation)(**request)
        return answer


class ResourceCalls:
    """The calls of the client behind a resource, which translates by itself: so what it gets is put into its style.

    Args:
        client: ``resource.meta.client``; it is used, never changed.
    """

    def __init__(self, client: "DynamoDBClient") -> None:
        self._client: Any = client
        self._transformer = ParameterTransformer()

    def send(self, operation: str, request: Request) -> Answer:
        """Return the answer to the operation of boto3's name; raises what boto3 raises."""
        model = operation_model(self._client, operation)
        given = _copied(request)
        self._transformer.transform(given, model.input_shape, TypeDeserializer().deserialize, _VALUE)
        answer: Answer = getattr(self._client, operation)(**given)
        self._transformer.transform(answer, model.output_shape, TypeSerializer().serialize, _VALUE)
        return answer


class ResourceStyle:
    """What callers of a resource give and get, in the client's style and back.

    Args:
        client: ``resource.meta.client``.
    """

    def __init__(self, client: "DynamoDBClient") -> None:
        self._client = client

    def typed(self, operation: str, request: Request) -> Request:
        """Return a request in the client's style; condition objects become expressions with placeholders."""
        model = operation_model(self._client, operation)
        given = _copied(request)
        injector = TransformationInjector()  # It counts placeholders, so each request has its own.
        injector.inject_condition_expressions(given, model)
        injector.inject_attribute_value_input(given, model)
        return given

    def untyped(self, operation: str, answer: Answer) -> Answer:
        """Return an answer in the resource's style."""
        TransformationInjector().inject_attribute_value_output(answer, operation_model(self._client, operation))
        return answer


def operation_model(client: Any, operation: str) -> Any:
    """Return botocore's model of the operation of boto3's name."""
    return client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation])


def _copied(request: Mapping[str, Any]) -> dict[str, Any]:
    # Each place gets a copy of its own, as boto3 does: one value given in two places is put into its style twice.
    return {name: copy.deepcopy(value, memo=_Forgetful()) for name, value in request.items()}


class _Forgetful(dict):  # type: ignore[type-arg]
    """A memo of ``deepcopy`` that finds nothing again."""

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

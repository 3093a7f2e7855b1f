"""The SAM template, translated to CloudFormation and cut down to what moto can deploy. Does not deploy
anything.
"""

import base64
import io
import json
import re
import zipfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse
from yaml import YAMLError  # type: ignore[import-untyped]

from dynamodb_stream_encryptor.local_stack import local_session
from local.errors import TemplateError
from local.template_rules import check_rules

_ANY_S3_URI = "s3://local/code"
_NAMED = {
    "AWS::DynamoDB::Table": "TableName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::SQS::Queue": "QueueName",
}


@dataclass(frozen=True)
class LocalTemplate:
    """A template ready for moto, and what was taken out of it.

    `code` maps a function's logical id to the folders it imports from; `left_out` holds the resources that
    moto cannot create, where a reference to one of them has become its logical id (see `placeholder`).
    """

    document: dict[str, Any]
    parameters: dict[str, str]
    code: dict[str, tuple[Path, ...]]
    left_out: dict[str, dict[str, Any]]


def load_template(
    path: Path,
    *,
    parameters: Mapping[str, str],
    defaults: Mapping[str, str],
    region: str,
    supported_types: Collection[str],
) -> LocalTemplate:
    """Translate the SAM template at `path`. Raise `TemplateError` when that fails or a parameter is not
    right.

    `defaults` go before the template's own, and are ignored where it has no such parameter.
    """
    try:
        sam = yaml_parse(path.read_text())
    except (OSError, YAMLError) as error:
        raise TemplateError(f"{path} cannot be read: {error}") from error
    if not isinstance(sam, dict) or not sam.get("Resources"):
        raise TemplateError(f"{path} has no Resources")
    values = _parameter_values(sam, parameters, defaults)
    code = _replace_code(sam, path.parent)
    try:
        translated = Translator(None, Parser(), boto_session=local_session(region)).translate(
            sam, parameter_values=dict(values), get_managed_policy_map=dict
        )
    except InvalidDocumentException as error:
        causes = "; ".join(str(cause.message) for cause in error.causes)
        raise TemplateError(f"{path} is not a valid SAM template: {causes}") from error
    document: dict[str, Any] = json.loads(json.dumps(translated, default=str))
    _adapt_to_moto(document)
    document, left_out = prune(document, supported_types)
    return LocalTemplate(document, values, code, left_out)


def placeholder(logical_id: str, attribute: str | None = None) -> str:
    """Return what a reference to a left-out resource resolves to."""
    return f"{logical_id}.{attribute}" if attribute else logical_id


def prune(
    document: Mapping[str, Any], supported_types: Collection[str]
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Return the template without unsupported resources, and those; references become placeholders."""
    resources = document["Resources"]
    unsupported = {name for name, resource in resources.items() if resource["Type"] not in supported_types}
    whole = _without_references(dict(document), unsupported)
    kept = {name: resource for name, resource in whole["Resources"].items() if name not in unsupported}
    left_out = {name: resource for name, resource in whole["Resources"].items() if name in unsupported}
    return whole | {"Resources": kept}, left_out


def _without_references(node: Any, names: Collection[str]) -> Any:
    match node:
        case list():
            return [_without_references(element, names) for element in node]
        case {"Ref": str(name)} if name in names:
            return placeholder(name)
        case {"Fn::GetAtt": [str(name), str(attribute)]} if name in names:
            return placeholder(name, attribute)
        case {"Fn::Sub": str(text)}:
            return {"Fn::Sub": _substituted(text, names)}
        case {"Fn::Sub": [str(text), values]}:
            return {"Fn::Sub": [_substituted(text, names), _without_references(values, names)]}
        case dict():
            return {key: _without_references(value, names) for key, value in node.items()}
    return node


def _substituted(text: str, names: Collection[str]) -> str:
    def literal(reference: re.Match[str]) -> str:
        name, _, attribute = reference[1].partition(".")
        return placeholder(name, attribute or None) if name in names else reference[0]

    return re.sub(r"\$\{([A-Za-z0-9.]+)\}", literal, text)


def _parameter_values(sam: Mapping[str, Any], given: Mapping[str, str], defaults: Mapping[str, str]) -> dict[str, str]:
    """Return a value for every parameter, defaults included: moto converts types only where a value is
    passed.
    """
    declared = sam.get("Parameters") or {}
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise TemplateError(f"the template has no parameter {', '.join(unknown)}")
    values = {name: slot["Default"] for name, slot in declared.items() if "Default" in slot}
    values |= {name: value for name, value in defaults.items() if name in declared} | dict(given)
    missing = sorted(set(declared) - set(values))
    if missing:
        raise TemplateError(f"the template needs a value for {', '.join(missing)}")
    for name, value in values.items():
        _check_value(name, str(value), declared[name])
    texts = {name: str(value) for name, value in values.items()}
    check_rules(sam, texts)
    return texts


def _check_value(name: str, value: str, slot: Mapping[str, Any]) -> None:
    """Raise `TemplateError` where CloudFormation would refuse the value; moto checks nothing."""
    allowed = slot.get("AllowedValues")
    if allowed is not None and value not in {str(choice) for choice in allowed}:
        raise TemplateError(f"parameter {name} must be one of {', '.join(map(str, allowed))}")
    pattern = slot.get("AllowedPattern")
    if pattern is not None and not re.fullmatch(pattern, value):
        raise TemplateError(f"parameter {name}: {slot.get('ConstraintDescription', f'must match {pattern}')}")
    if slot["Type"] == "Number":
        try:
            number = float(value)
        except ValueError as error:
            raise TemplateError(f"parameter {name} must be a number") from error
        if not float(slot.get("MinValue", number)) <= number <= float(slot.get("MaxValue", number)):
            raise TemplateError(f"parameter {name} must be from {slot.get('MinValue')} to {slot.get('MaxValue')}")


def _replace_code(sam: dict[str, Any], root: Path) -> dict[str, tuple[Path, ...]]:
    """Put S3 addresses where the translator wants them, and return the folders of each function."""
    shared = (sam.get("Globals") or {}).get("Function") or {}
    layers: dict[str, Path] = {}
    code: dict[str, tuple[Path, ...]] = {}
    for name, resource in sam["Resources"].items():
        properties = resource.get("Properties") or {}
        if resource["Type"] == "AWS::Serverless::LayerVersion":
            layers[name] = root / properties["ContentUri"]
            properties["ContentUri"] = _ANY_S3_URI
    for name, resource in sam["Resources"].items():
        properties = resource.get("Properties") or {}
        if resource["Type"] != "AWS::Serverless::Function":
            continue
        uri = properties.get("CodeUri", shared.get("CodeUri"))
        if not isinstance(uri, str):
            raise TemplateError(f"{name} needs a CodeUri that is a folder")
        # A layer has a resource for each architecture, chosen by a condition, and one folder.
        folders = dict.fromkeys(layers[layer] for layer in layers_of(resource, shared) if layer in layers)
        code[name] = (root / uri, *folders)
        properties["CodeUri"] = _ANY_S3_URI
    if "CodeUri" in shared:
        shared["CodeUri"] = _ANY_S3_URI
    return code


def layers_of(function: Mapping[str, Any], shared: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of the layers that a function of a SAM template may have, those in either branch of a condition.

    Args:
        function: the resource.
        shared: what `Globals` say of all functions.
    """
    if "Layers" not in function.get("IgnoreGlobals", ()):
        yield from _referred_to(shared.get("Layers"))
    yield from _referred_to(function.get("Properties", {}).get("Layers"))


def _referred_to(node: Any) -> Iterator[str]:
    match node:
        case {"Ref": str(name)}:
            yield name
        case list() | dict():
            for member in node if isinstance(node, list) else node.values():
                yield from _referred_to(member)


def _adapt_to_moto(document: dict[str, Any]) -> None:
    """Change what moto would look up in S3 or trip over, and name what would get a name by chance.

    Functions and layers get an empty package; a key policy becomes text, or every use of the key would fail. Names
    without CloudFormation's random ending are the same in every run, and the messages in events/ know them.
    """
    package = io.BytesIO()
    zipfile.ZipFile(package, "w").close()
    for logical_id, resource in document["Resources"].items():
        if resource["Type"] in _NAMED:
            name = {"Fn::Sub": f"${{AWS::StackName}}-{logical_id}"}
            resource.setdefault("Properties", {}).setdefault(_NAMED[resource["Type"]], name)
        if resource["Type"] == "AWS::Lambda::Function":
            resource["Properties"]["Code"] = {"ZipFile": "# runs from its folder"}
        elif resource["Type"] == "AWS::Lambda::LayerVersion":
            resource["Properties"]["Content"] = {"ZipFile": base64.b64encode(package.getvalue()).decode()}
        elif resource["Type"] == "AWS::KMS::Key":
            resource["Properties"]["KeyPolicy"] = {"Fn::ToJsonString": resource["Properties"]["KeyPolicy"]}

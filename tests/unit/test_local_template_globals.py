"""What a function of a template inherits from Globals, and what it says it does not."""

from pathlib import Path

from local.template import load_template

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Runtime: python3.13, CodeUri: code/, Layers: [!Ref Shared]}
Resources:
  Shared: {Type: "AWS::Serverless::LayerVersion", Properties: {ContentUri: layer/}}
  Heavy: {Type: "AWS::Serverless::Function", Properties: {Handler: a.b}}
  Light: {Type: "AWS::Serverless::Function", IgnoreGlobals: [Layers], Properties: {Handler: a.b}}
  Own:
    Type: AWS::Serverless::Function
    IgnoreGlobals: [Layers]
    Properties: {Handler: a.b, Layers: [!Ref Shared]}
"""


def test_layers_are_those_that_the_function_has(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE)
    loaded = load_template(path, parameters={}, defaults={}, region="eu-west-1", supported_types=())
    code, layer = tmp_path / "code", tmp_path / "layer"
    assert loaded.code == {"Heavy": (code, layer), "Light": (code,), "Own": (code, layer)}

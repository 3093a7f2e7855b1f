import pytest

from local.errors import TemplateError
from local.template import load_template, prune

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Size: {Type: Number, Default: 5, MinValue: 1, MaxValue: 10}
  Mode: {Type: String, Default: a, AllowedValues: [a, b]}
  Issuer: {Type: String, Default: "", AllowedPattern: "^$|^https://.+$", ConstraintDescription: "an address."}
Globals:
  Function: {Runtime: python3.13, CodeUri: code/, Layers: [!Ref Layer]}
Resources:
  Layer:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: layer/}
  Function:
    Type: AWS::Serverless::Function
    Properties: {Handler: a.b, CodeUri: other/}
  Plain:
    Type: AWS::Serverless::Function
    Properties: {Handler: a.b}
  Api: {Type: "AWS::ApiGatewayV2::Api", Properties: {Name: x}}
Outputs:
  Url: {Value: !Sub "https://${Api}.execute-api.${AWS::Region}.amazonaws.com"}
"""


def load(tmp_path, text=TEMPLATE, defaults=None, **parameters):
    path = tmp_path / "template.yaml"
    path.write_text(text)
    return load_template(
        path,
        parameters=parameters,
        defaults=defaults or {},
        region="us-east-1",
        supported_types={"AWS::Lambda::Function", "AWS::Lambda::LayerVersion", "AWS::IAM::Role"},
    )


def test_functions_know_their_folders_and_the_layers(tmp_path):
    template = load(tmp_path)
    assert template.code == {
        "Function": (tmp_path / "other", tmp_path / "layer"),
        "Plain": (tmp_path / "code", tmp_path / "layer"),
    }
    assert template.document["Resources"]["Function"]["Type"] == "AWS::Lambda::Function"


def test_a_layer_that_a_condition_chooses_is_one_folder(tmp_path):
    text = TEMPLATE.replace("Layers: [!Ref Layer]", "Layers: [!If [IsA, !Ref Layer, !Ref Other]]")
    text += "Conditions:\n  IsA: !Equals [!Ref Mode, a]\n"
    text = text.replace(
        "  Function:\n    Type",
        "  Other: {Type: 'AWS::Serverless::LayerVersion', Properties: {ContentUri: layer/}}\n  Function:\n    Type",
    )
    assert load(tmp_path, text).code["Plain"] == (tmp_path / "code", tmp_path / "layer")


def test_what_moto_lacks_is_left_out_and_referred_to_by_its_name(tmp_path):
    template = load(tmp_path)
    assert set(template.left_out) == {"Api"}
    assert template.document["Outputs"]["Url"]["Value"] == {
        "Fn::Sub": "https://Api.execute-api.${AWS::Region}.amazonaws.com"
    }


def test_all_kinds_of_references_are_replaced():
    document = {
        "Resources": {
            "Gone": {"Type": "X"},
            "Kept": {
                "Type": "Y",
                "Properties": {
                    "a": {"Ref": "Gone"},
                    "b": {"Fn::GetAtt": ["Gone", "Arn"]},
                    "c": {"Fn::Sub": ["${Gone}-${Gone.Arn}-${Kept}-${v}", {"v": {"Ref": "Gone"}}]},
                    "d": [{"Ref": "Kept"}],
                },
            },
        }
    }
    kept, left_out = prune(document, {"Y"})
    assert left_out == {"Gone": {"Type": "X"}}
    assert kept["Resources"]["Kept"]["Properties"] == {
        "a": "Gone",
        "b": "Gone.Arn",
        "c": {"Fn::Sub": ["Gone-Gone.Arn-${Kept}-${v}", {"v": "Gone"}]},
        "d": [{"Ref": "Kept"}],
    }


def test_parameters_come_from_the_caller_then_the_defaults_then_the_template(tmp_path):
    template = load(tmp_path, defaults={"Size": "7", "Mode": "b", "Unknown": "x"}, Size="9")
    assert template.parameters == {"Size": "9", "Mode": "b", "Issuer": ""}


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"Nothing": "1"}, "no parameter Nothing"),
        ({"Size": "11"}, "Size must be from 1 to 10"),
        ({"Size": "x"}, "Size must be a number"),
        ({"Mode": "c"}, "Mode must be one of a, b"),
        ({"Issuer": "http://x"}, "Issuer: an address"),
    ],
)
def test_parameters_that_cloudformation_would_refuse_are_refused(tmp_path, parameters, message):
    with pytest.raises(TemplateError, match=message):
        load(tmp_path, **parameters)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("a: [", "cannot be read", id="not YAML"),
        pytest.param("a: 1", "has no Resources", id="no resources"),
        pytest.param(
            TEMPLATE.replace("Handler: a.b, CodeUri: other/", "Handler: a.b, CodeUri: {Bucket: b, Key: k}"),
            "Function needs a CodeUri",
            id="code elsewhere",
        ),
        pytest.param(
            TEMPLATE.replace("{Handler: a.b}", "{Handler: a.b, Nonsense: 1}"), "not a valid SAM", id="not SAM"
        ),
    ],
)
def test_a_template_that_does_not_translate_says_why(tmp_path, text, message):
    with pytest.raises(TemplateError, match=message):
        load(tmp_path, text)


def test_a_missing_template_says_so(tmp_path):
    with pytest.raises(TemplateError, match="cannot be read"):
        load_template(tmp_path / "no.yaml", parameters={}, defaults={}, region="us-east-1", supported_types=())

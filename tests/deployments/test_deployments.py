"""Ways to deploy besides `sam deploy`: the packaged template, and the examples for Terraform and the CDK that use it.

Packaging needs SAM CLI (`make sam`) and goes to moto's S3; the examples need node, and what package-lock.json lists
(`make test-deployments`). Nothing is published or deployed.
"""

import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import boto3
import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from samtranslator.yaml_helper import yaml_parse
from werkzeug.serving import make_server

from tests.unit.sam_template import Stack, translated

ROOT: Final = Path(__file__).parents[2]
HERE: Final = Path(__file__).parent
EXAMPLES: Final = ROOT / "examples"
APPLICATION: Final = "AWS::ServerlessRepo::Application"
TABLE_NAME: Final = "orders"
STREAM: Final = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders/stream/2026-01-02T08:30:00.000"

needs_packages = pytest.mark.skipif(
    shutil.which("node") is None or not (HERE / "node_modules").is_dir(),
    reason="needs node and its packages: make test-deployments",
)


def sam_cli() -> str:
    in_venv = ROOT / ".venv-sam/bin/sam"
    found = os.environ.get("SAM_CLI") or (str(in_venv) if in_venv.exists() else shutil.which("sam"))
    if not found:
        pytest.skip("no SAM CLI: neither $SAM_CLI nor .venv-sam/bin/sam nor sam on the path")
    return found


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of an S3 in this process, with the bucket `artifacts`."""
    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.port}"
    credentials = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    boto3.client("s3", endpoint_url=url, region_name="us-east-1", **credentials).create_bucket(Bucket="artifacts")
    yield url
    server.shutdown()


@pytest.fixture(scope="module")
def packaged(s3: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `sam package` makes of the template; the folders as they are, since building takes minutes."""
    output = tmp_path_factory.mktemp("packaged") / "packaged.yaml"
    command = [sam_cli(), "package", "--template-file", "template.yaml", "--s3-bucket", "artifacts"]
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | {
        "AWS_ENDPOINT_URL": s3,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "SAM_CLI_TELEMETRY": "0",
    }
    done = subprocess.run(
        [*command, "--output-template-file", str(output)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return output


def test_what_the_repository_asks_for_is_packaged(packaged: Path, s3: str):
    template = yaml_parse(packaged.read_text())
    application = template["Metadata"][APPLICATION]
    bucket, _, key = application["ReadmeUrl"].removeprefix("s3://").partition("/")
    credentials = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    client = boto3.client("s3", endpoint_url=s3, region_name="us-east-1", **credentials)
    assert client.get_object(Bucket=bucket, Key=key)["Body"].read() == (ROOT / "README.md").read_bytes()

    code = [
        resource["Properties"].get("CodeUri") or resource["Properties"]["ContentUri"]
        for resource in template["Resources"].values()
        if resource["Type"] in ("AWS::Serverless::Function", "AWS::Serverless::LayerVersion")
    ]
    assert len(code) > 10
    assert all(uri.startswith("s3://artifacts/") for uri in code)
    # A template from S3 may have 1 MB (CloudFormation quotas, "Template size in an S3 object").
    assert packaged.stat().st_size < 1_000_000


def accepted(parameters: dict[str, str]) -> None:
    """Check that a deployment would take these parameters, and make no table."""
    template = translated()
    stack = Stack(template, parameters)  # Refuses names that the template does not have.
    assert stack.broken_rules() == set()
    for name, value in parameters.items():
        assert re.fullmatch(template["Parameters"][name].get("AllowedPattern", ".*"), value), name
    assert "SessionTable" not in stack.resources


@needs_packages
def test_the_terraform_example_is_well_formed_and_gives_parameters_that_are_there():
    parsed = subprocess.run(
        ["node", str(HERE / "parse.mjs"), str(EXAMPLES / "terraform/main.tf")],
        capture_output=True,
        text=True,
        check=True,
    )
    document: dict[str, Any] = json.loads(parsed.stdout)
    (stack,) = document["resource"]["aws_cloudformation_stack"]["encryptor"]
    assert stack["capabilities"] == ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    known = {
        "${data.aws_dynamodb_table.orders.name}": TABLE_NAME,
        "${data.aws_dynamodb_table.orders.stream_arn}": STREAM,
    }
    accepted({name: known.get(value, value) for name, value in stack["parameters"].items()})
    (output,) = re.findall(r'outputs\["(\w+)"\]', document["output"]["key_arn"][0]["value"])
    assert output in translated()["Outputs"]


def test_the_terraform_example_is_in_terraforms_format():
    terraform = shutil.which("terraform")
    if terraform is None:
        pytest.skip("no terraform on the path")
    command = [terraform, "fmt", "-check", "-diff", str(EXAMPLES / "terraform")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@needs_packages
def test_the_cdk_example_is_synthesized(packaged: Path, tmp_path: Path):
    # A copy: node looks for packages beside the file that imports them.
    shutil.copy(EXAMPLES / "cdk/app.mjs", tmp_path / "app.mjs")
    (tmp_path / "node_modules").symlink_to(HERE / "node_modules")
    done = subprocess.run(
        ["node", "app.mjs"],
        cwd=tmp_path,
        env=os.environ | {"PACKAGED": str(packaged), "CDK_OUTDIR": str(tmp_path / "out")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    template = json.loads((tmp_path / "out/orders.template.json").read_text())
    resources = template["Resources"]
    (nested,) = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::CloudFormation::Stack"]
    (table,) = [name for name, one in resources.items() if one["Type"] == "AWS::DynamoDB::Table"]
    assert resources[table]["Properties"]["StreamSpecification"] == {"StreamViewType": "KEYS_ONLY"}
    known = {json.dumps({"Ref": table}): TABLE_NAME, json.dumps({"Fn::GetAtt": [table, "StreamArn"]}): STREAM}
    accepted({name: known.get(json.dumps(value), value) for name, value in nested["Parameters"].items()})
    (asset,) = (tmp_path / "out").glob("asset.*.yaml")
    assert asset.read_bytes() == packaged.read_bytes()
    assert asset.name.removeprefix("asset.") in json.dumps(nested["TemplateURL"])
    (output,) = [one["Value"]["Fn::GetAtt"][1] for one in template["Outputs"].values()]
    assert output.removeprefix("Outputs.") in translated()["Outputs"]


def test_the_cdk_example_and_its_test_use_the_same_packages():
    example = json.loads((EXAMPLES / "cdk/package.json").read_text())["dependencies"]
    tested = json.loads((HERE / "package.json").read_text())["dependencies"]
    assert example.items() <= tested.items()

"""A batch of messages that SQS takes in part."""

from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse

from encryptor_runtime.queues import WorkQueue
from item_crypto import TransientError
from tests.scene import CLIENT


def test_batch_when_one_of_its_messages_is_not_taken_then_it_is_not_taken_for_sent(aws: None) -> None:
    sqs = boto3.client("sqs", **CLIENT)
    queue = WorkQueue(sqs, sqs.create_queue(QueueName="work")["QueueUrl"])

    def take_in_part(**_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        failed = {"Id": "1", "SenderFault": False, "Code": "InternalError"}
        answer = {"Successful": [{"Id": "0"}], "Failed": [failed], "ResponseMetadata": {"HTTPStatusCode": 200}}
        return AWSResponse("", 200, {}, None), answer  # type: ignore[arg-type]

    sqs.meta.events.register("before-call.sqs.SendMessageBatch", take_in_part)

    with pytest.raises(TransientError, match="BatchEntryFailed"):
        queue.begin("sweep", range(2))

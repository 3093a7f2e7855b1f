"""CloudTrail's data events of DynamoDB, made the same way each time."""

from typing import Any, Final

ROLE: Final = "arn:aws:iam::111122223333:role/chat-api"
TABLE_ARN: Final = "arn:aws:dynamodb:eu-central-1:111122223333:table/chats"
BOTO: Final = "[Boto3/1.40.1 md/Botocore#1.40.1 ua/2.1 os/linux lang/python#3.13.2]"


def event(name: str = "GetItem", role: str = ROLE, agent: str = BOTO, **parameters: Any) -> dict[str, Any]:
    """A data event as CloudTrail has it, of a role's session."""
    session = role.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + "/session-1"
    return {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "arn": session,
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": role, "userName": "chat-api"}},
        },
        "eventTime": "2026-01-02T08:30:00Z",
        "eventSource": "dynamodb.amazonaws.com",
        "eventName": name,
        "userAgent": agent,
        "requestParameters": {"tableName": "chats", "key": {"sessionId": "dlg-1"}, **parameters},
        "resources": [{"accountId": "111122223333", "type": "AWS::DynamoDB::Table", "ARN": TABLE_ARN}],
    }

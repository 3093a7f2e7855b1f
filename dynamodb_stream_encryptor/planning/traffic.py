"""How much a table is written and read, by CloudWatch's metrics of the last two weeks."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from dynamodb_stream_encryptor.planning.table import Traffic

CALLS: Final = ("cloudwatch:GetMetricData",)
"""What is called here, as IAM names it."""

_DAYS: Final = 14
_HOUR: Final = 3600


def find_traffic(cloudwatch: Any, table: str, now: datetime) -> Traffic | str:
    """Return what the table consumed until ``now``; or why that is not known, in a few words."""
    queries = [
        {
            "Id": name,
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/DynamoDB",
                    "MetricName": metric,
                    "Dimensions": [{"Name": "TableName", "Value": table}],
                },
                "Period": _HOUR,
                "Stat": "Sum",
            },
        }
        for name, metric in (("writes", "ConsumedWriteCapacityUnits"), ("reads", "ConsumedReadCapacityUnits"))
    ]
    end = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    try:
        answer = cloudwatch.get_metric_data(
            MetricDataQueries=queries, StartTime=end - timedelta(days=_DAYS), EndTime=end
        )
    except (ClientError, BotoCoreError, NotImplementedError) as error:
        code = error.response.get("Error", {}).get("Code") if isinstance(error, ClientError) else type(error).__name__
        return f"CloudWatch does not say ({CALLS[0]}: {code})"
    values = {result["Id"]: list(result["Values"]) for result in answer["MetricDataResults"]}
    stamps = [stamp for result in answer["MetricDataResults"] for stamp in result["Timestamps"]]
    if not stamps:
        return "CloudWatch has no metrics of it"
    # A table that is younger than two weeks is not taken for one that rested before.
    days = max((end - min(stamps).astimezone(UTC)) / timedelta(days=1), 1 / 24)
    writes, reads = values.get("writes", []), values.get("reads", [])
    return Traffic(days, sum(writes), sum(reads), max(writes, default=0) / _HOUR, max(reads, default=0) / _HOUR)

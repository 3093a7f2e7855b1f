"""Each alarm over what its metric really looks like: it goes off in time where it should, and is quiet otherwise.

What CloudWatch does is as its User Guide says ("Using Amazon CloudWatch alarms", "Configuring how CloudWatch alarms
treat missing data"): the points of each period become one number, and of the last ``EvaluationPeriods`` numbers so many
have to breach.
"""

import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import pytest

from tests.unit.sam_template import Stack, translated

MINUTE: Final = 60
HOUR: Final = 3600
LONG: Final = 40 * 24 * HOUR
WATCHER: Final = 5 * MINUTE  # How often it looks.
NAMESPACES: Final = {
    "ApproximateNumberOfMessagesVisible": ("AWS/SQS", "QueueName"),
    "ApproximateAgeOfOldestMessage": ("AWS/SQS", "QueueName"),
    "5xx": ("AWS/ApiGateway", "ApiId"),
    **dict.fromkeys(["Errors", "Throttles", "Invocations", "IteratorAge"], ("AWS/Lambda", "FunctionName")),
}
COMPARED: Final[dict[str, Callable[[float, float], bool]]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
AGES: Final = {  # How often there is a point, and how much later than the age itself the alarm may be.
    "OldestFailureAlarm": (WATCHER, 6 * HOUR + WATCHER),
    "SweepStandstillAlarm": (WATCHER, 2 * WATCHER),
    "OldestWorkAlarm": (MINUTE, 5 * MINUTE),
    "OldestDeferredAlarm": (MINUTE, 5 * MINUTE),
    "OldestRetryAlarm": (MINUTE, 5 * MINUTE),
    "WorkAgeAlarm": (10 * MINUTE, 15 * MINUTE),  # A point at each receipt, as the visibility timeouts have it.
    "RetryAgeAlarm": (6 * MINUTE, 11 * MINUTE),
    "DeferredAgeAlarm": (12 * MINUTE, 17 * MINUTE),
}
STEADY: Final = {"IteratorAgeAlarm": 5 * MINUTE, "PlaintextWindowAlarm": 15 * MINUTE}

Points = Sequence[tuple[float, float]]


def alarms() -> dict[str, Any]:
    everything = {"JwtIssuer": "https://issuer.example/pool", "JwtAudience": "web,page", "AdminClientId": "page"}
    return Stack(translated(), everything).of_type("AWS::CloudWatch::Alarm")


class Alarm:
    """An alarm of the template, evaluated."""

    def __init__(self, name: str) -> None:
        self.alarm = alarms()[name]
        if "Metrics" in self.alarm:
            expression, data = self.alarm["Metrics"]
            stat = data["MetricStat"]
            self.metric, self.period, self.stat = stat["Metric"], stat["Period"], stat["Stat"]
            assert expression["Expression"].startswith(f"{data['Id']} / ")
            self.divisor = float(expression["Expression"].rpartition("/")[2])
        else:
            self.metric, self.period, self.stat = self.alarm, self.alarm["Period"], self.alarm["Statistic"]
            self.divisor = 1.0
        self.threshold = float(self.alarm["Threshold"])

    @property
    def in_metric(self) -> float:
        """The threshold in the metric's own unit."""
        return self.threshold * self.divisor

    def goes_off(self, points: Points, until: float) -> float | None:
        """Return at which second it goes off, or None."""
        beside = COMPARED[self.alarm["ComparisonOperator"]]
        number: int = self.alarm["EvaluationPeriods"]
        wanted = self.alarm.get("DatapointsToAlarm", number)
        breaching: list[bool] = []
        for end, values in self._periods(points, until):
            value = self._of(values)
            missing = self.alarm["TreatMissingData"] == "breaching"
            breaching.append(missing if value is None else beside(value / self.divisor, self.threshold))
            if len(breaching) >= number and sum(breaching[-number:]) >= wanted:
                return end
        return None

    def _periods(self, points: Points, until: float) -> Iterator[tuple[float, list[float]]]:
        by_period: dict[int, list[float]] = {}
        for second, value in points:
            by_period.setdefault(int(second // self.period), []).append(value)
        for place in range(int(until // self.period)):
            yield (place + 1) * self.period, by_period.get(place, [])

    def _of(self, values: list[float]) -> float | None:
        match self.stat:
            case "SampleCount":
                return float(len(values))
            case _ if not values:
                return None
            case "Sum":
                return sum(values)
            case "Maximum":
                return max(values)
            case "Minimum":
                return min(values)
            case "Average":
                return sum(values) / len(values)
            case percentile:
                place = int(len(values) * float(percentile.removeprefix("p")) / 100)
                return sorted(values)[min(place, len(values) - 1)]


COUNTS: Final = sorted(alarms().keys() - AGES.keys() - STEADY.keys() - {"WatcherSilentAlarm"})
EVERY: Final = sorted(alarms())


@pytest.mark.parametrize("name", EVERY)
def test_alarm_watches_a_metric_where_it_is_emitted(name: str) -> None:
    metric = Alarm(name).metric
    namespace, dimension = NAMESPACES.get(metric["MetricName"], ("StreamEncryptor", "service"))
    assert (metric["Namespace"], [each["Name"] for each in metric["Dimensions"]]) == (namespace, [dimension])


@pytest.mark.parametrize("name", [name for name in EVERY if name != "WatcherSilentAlarm"])
def test_alarm_when_there_is_no_data_then_it_is_quiet(name: str) -> None:
    assert Alarm(name).goes_off([], 10 * 24 * HOUR) is None


@pytest.mark.parametrize("name", COUNTS)
def test_count_when_there_is_one_then_it_goes_off_within_minutes(name: str) -> None:
    alarm = Alarm(name)
    at = 10 * HOUR + 7
    nothing = [(second, 0.0) for second in range(0, 11 * HOUR, MINUTE)]
    assert alarm.goes_off(nothing, 11 * HOUR) is None
    off = alarm.goes_off([*nothing, (at, 1.0)], 11 * HOUR)
    assert off is not None
    assert at < off <= at + 5 * MINUTE


@pytest.mark.parametrize("name", sorted(AGES))
def test_age_when_it_passes_what_the_parameter_says_then_it_goes_off_soon_after(name: str) -> None:
    alarm = Alarm(name)
    every, late = AGES[name]
    rising = [(second, float(second)) for second in range(0, LONG, every)]
    off = alarm.goes_off(rising, LONG)
    assert off is not None
    assert alarm.in_metric <= off <= alarm.in_metric + late
    young = [(second, alarm.in_metric * 0.9) for second in range(0, 10 * 24 * HOUR, every)]
    assert alarm.goes_off(young, 10 * 24 * HOUR) is None


@pytest.mark.parametrize("name", sorted(STEADY))
def test_delay_when_it_lasts_then_it_goes_off_and_one_bad_moment_does_not_count(name: str) -> None:
    alarm = Alarm(name)
    slow = [(second, alarm.in_metric) for second in range(0, HOUR, MINUTE)]
    off = alarm.goes_off(slow, HOUR)
    assert off is not None
    assert off <= STEADY[name]
    fast = [(second, alarm.in_metric * 0.9) for second in range(0, HOUR, MINUTE)]
    assert alarm.goes_off([*fast, (600, 10 * alarm.in_metric)], HOUR) is None


def test_watcher_when_it_is_not_invoked_then_that_is_told_within_half_an_hour() -> None:
    alarm = Alarm("WatcherSilentAlarm")
    looks = [(float(second), 1.0) for second in range(0, 10 * HOUR, WATCHER)]
    assert alarm.goes_off(looks, 10 * HOUR) is None
    off = alarm.goes_off(looks, 11 * HOUR)
    assert off is not None
    assert off <= 10 * HOUR + 30 * MINUTE

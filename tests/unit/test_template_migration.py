"""What template.yaml makes for the setting and for migration: control table, sweeps, deferred keys and schedules."""

import json

import pytest

from tests.unit.sam_template import Stack, translated

TEMPLATE = translated()
STREAM = "arn:aws:dynamodb:eu-west-1:111122223333:table/chats/stream/2026-01-02T08:30:00.000"
SCHEDULES = {
    "CatchUpSchedule": "CatchUpScheduleExpression",
    "ReencryptSchedule": "ReencryptScheduleExpression",
}


def stack(**parameters: str) -> Stack:
    return Stack(TEMPLATE, parameters)


class TestControlTable:
    def test_rows_are_found_by_id_and_part(self):
        table = stack().properties("ControlTable")
        assert table["KeySchema"] == [
            {"AttributeName": "id", "KeyType": "HASH"},
            {"AttributeName": "part", "KeyType": "RANGE"},
        ]
        assert {each["AttributeType"] for each in table["AttributeDefinitions"]} == {"S"}

    def test_it_costs_nothing_idle_and_is_recoverable_and_encrypted_at_rest(self):
        table = stack().properties("ControlTable")
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert table["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS"}

    def test_it_does_not_depend_on_the_key_of_the_data(self):
        """Its readers include a function that may use no key."""
        key = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000001"
        assert stack(TableKeyArn=key).properties("ControlTable") == stack().properties("ControlTable")

    def test_its_changes_trigger_nothing(self):
        made = stack()
        assert "StreamSpecification" not in made.properties("ControlTable")
        sources = {each["EventSourceArn"] for each in made.of_type("AWS::Lambda::EventSourceMapping").values()}
        assert not any("ControlTable" in source for source in sources)


class TestSweeps:
    def test_a_message_of_work_is_one_invocation(self):
        mapping = stack().properties("WorkMapping")
        assert mapping["FunctionName"] == "<MigratorFunction>"
        assert mapping["EventSourceArn"] == "<WorkQueue.Arn>"
        assert mapping["BatchSize"] == 1
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]

    def test_as_many_segments_run_at_once_as_the_parameter_says(self):
        mapping = stack(MigratorConcurrency="7").properties("WorkMapping")
        assert mapping["ScalingConfig"] == {"MaximumConcurrency": "7"}

    def test_only_the_migrator_may_feed_itself(self):
        functions = stack().of_type("AWS::Lambda::Function")
        allowed = {name: each["RecursiveLoop"] for name, each in functions.items() if "RecursiveLoop" in each}
        assert allowed == {"MigratorFunction": "Allow"}

    def test_migrator_has_minutes_and_the_memory_of_its_parameter(self):
        migrator = stack(MigratorMemory="3008").properties("MigratorFunction")
        assert migrator["Timeout"] >= 300
        assert migrator["MemorySize"] == "3008"

    def test_work_that_waits_for_a_crashed_invocation_raises_no_alarm(self):
        hidden = stack().properties("WorkQueue")["VisibilityTimeout"]
        assert TEMPLATE["Parameters"]["OldestWorkAlarmMinutes"]["MinValue"] * 60 > hidden


class TestDeferredKeys:
    def test_they_are_worked_off_apart_from_sweeps(self):
        mapping = stack().properties("DeferredMapping")
        assert mapping["FunctionName"] == "<DeferredFunction>"
        assert mapping["EventSourceArn"] == "<DeferredQueue.Arn>"
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert mapping["ScalingConfig"]["MaximumConcurrency"] >= 2

    def test_a_key_that_is_tried_again_once_raises_no_alarm(self):
        hidden = stack().properties("DeferredQueue")["VisibilityTimeout"]
        assert TEMPLATE["Parameters"]["OldestDeferredAlarmMinutes"]["MinValue"] * 60 > hidden


class TestControlFunction:
    def test_it_is_told_the_mapping_and_the_stream_of_an_existing_table(self):
        variables = stack(TableName="chats", TableStreamArn=STREAM).properties("ControlFunction")["Environment"]
        assert variables["Variables"]["STREAM_MAPPING_ID"] == "<StreamMapping>"
        assert variables["Variables"]["TABLE_STREAM_ARN"] == STREAM

    def test_queues_do_not_start_it(self):
        mappings = stack().of_type("AWS::Lambda::EventSourceMapping").values()
        assert "<ControlFunction>" not in {mapping["FunctionName"] for mapping in mappings}


class TestWatch:
    def test_the_watcher_looks_more_often_than_alarms_look_for_its_word(self):
        made = stack()
        schedule = made.properties("WatchSchedule")
        assert schedule["Target"]["Arn"] == "<WatcherFunction.Arn>"
        assert schedule["ScheduleExpression"] == "rate(5 minutes)"
        assert schedule.get("State", "ENABLED") == "ENABLED"
        assert made.properties("WatcherSilentAlarm")["Period"] >= 3 * 300

    def test_a_page_that_waits_for_a_crashed_invocation_raises_no_alarm(self):
        hidden = stack().properties("WorkQueue")["VisibilityTimeout"]
        assert TEMPLATE["Parameters"]["SweepStandstillAlarmMinutes"]["Default"] * 60 > hidden


class TestSchedules:
    @pytest.mark.parametrize(
        ("schedule", "command"),
        [
            ("CatchUpSchedule", {"command": "start", "goal": "encrypt", "by": "schedule"}),
            (
                "ReencryptSchedule",
                {"command": "start", "goal": "re-encrypt", "olderThanDays": 30, "by": "schedule"},
            ),
        ],
    )
    def test_schedule_asks_the_control_function_for_its_sweep(self, schedule, command):
        target = stack().properties(schedule)["Target"]
        assert target["Arn"] == "<ControlFunction.Arn>"
        assert target["RoleArn"] == "<ScheduleRole.Arn>"
        assert json.loads(target["Input"]) == command

    def test_days_follow_their_parameter(self):
        target = stack(ReencryptAfterDays="9").properties("ReencryptSchedule")["Target"]
        assert json.loads(target["Input"])["olderThanDays"] == 9

    @pytest.mark.parametrize(("schedule", "parameter"), SCHEDULES.items())
    def test_schedule_runs_when_its_parameter_says(self, schedule, parameter):
        properties = stack(**{parameter: "rate(6 hours)"}).properties(schedule)
        assert properties["ScheduleExpression"] == "rate(6 hours)"
        assert properties["ScheduleExpressionTimezone"] == "UTC"

    @pytest.mark.parametrize(("schedule", "parameter"), SCHEDULES.items())
    def test_without_an_expression_there_is_no_schedule(self, schedule, parameter):
        left = stack(**{parameter: ""})
        assert set(left.of_type("AWS::Scheduler::Schedule")) == SCHEDULES.keys() - {schedule} | {"WatchSchedule"}
        assert "ScheduleRole" in left.resources

    def test_without_schedules_there_is_no_role_for_them(self):
        assert "ScheduleRole" not in stack(**dict.fromkeys(SCHEDULES.values(), "")).resources

    def test_daily_sweeps_do_not_meet(self):
        """One sweep runs at a time: of two that begin together, the same one might be refused every day."""
        made = stack()
        hours = []
        for schedule in SCHEDULES:
            expression = made.properties(schedule)["ScheduleExpression"]
            minute, hour, *rest = expression.removeprefix("cron(").removesuffix(")").split()
            assert (minute, rest) == ("0", ["*", "*", "?", "*"])
            hours.append(int(hour))
        assert abs(hours[0] - hours[1]) == 12

    @pytest.mark.parametrize("schedule", SCHEDULES)
    def test_a_start_is_tried_again_for_a_while_and_leaves_no_dead_letter(self, schedule):
        target = stack().properties(schedule)["Target"]
        assert "DeadLetterConfig" not in target
        assert target["RetryPolicy"]["MaximumRetryAttempts"] > 0
        assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] <= 3600

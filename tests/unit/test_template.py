"""What template.yaml makes: table, key, queues, functions, API and alarms.

Access: test_template_access. The setting, sweeps and schedules: test_template_migration.
"""

import json
import re

import pytest

from tests.unit.sam_template import ROOT, Stack, source, translated

TEMPLATE = translated()
LAYER_MAKEFILE = ROOT / "layers/crypto/Makefile"
TABLE_ARN = "arn:aws:dynamodb:eu-west-1:111122223333:table/chats"
KEY_ARN = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-00000000000"
EXISTING = {
    "TableName": "chats",
    "TableStreamArn": f"{TABLE_ARN}/stream/2026-01-02T08:30:00.000",
    "TableKeyArn": f"{KEY_ARN}1",
    "KmsKeyArn": f"{KEY_ARN}2",
    "EarlierKeyArns": f"{KEY_ARN}3,{KEY_ARN}4",
}
WITH_TOKENS = {"JwtIssuer": "https://issuer.example", "JwtAudience": "web,mobile"}
HANDLERS = {
    "StreamEncryptorFunction": "stream_encryptor.handler.lambda_handler",
    "RetryFunction": "stream_encryptor.retry.lambda_handler",
    "ReaderFunction": "reader.handler.lambda_handler",
    "ItemReaderFunction": "reader.item.lambda_handler",
    "MigratorFunction": "migrator.sweep.lambda_handler",
    "DeferredFunction": "migrator.deferred.lambda_handler",
    "ControlFunction": "migrator.control.lambda_handler",
    "AdminFunction": "admin.handler.lambda_handler",
    "SessionKeysFunction": "session_keys.handler.lambda_handler",
    "WatcherFunction": "migrator.watch.lambda_handler",
}
EVERY_FUNCTION_READS = {
    "SESSION_ENCRYPTION_ENABLED": "true",
    "SESSION_ENCRYPTION_KEY_ARN": "<EncryptionKey.Arn>",
    "EARLIER_KEY_ARNS": "",
    "KEYRING_TYPE": "kms",
    "BRANCH_KEY_TABLE_NAME": "",
    "TENANT_ATTRIBUTE": "userId",
    "BRANCH_KEY_CACHE_SECONDS": "60",
    "TABLE_NAME": "<SessionTable>",
    "ENCRYPTED_ATTRIBUTES": "history,configuration",
    "EARLIER_ATTRIBUTES": "",
    "APPENDED_ATTRIBUTES": "",
    "CONTEXT_ATTRIBUTES": "userId,sessionId",
    "CONTEXT_PURPOSE": "session-encryption",
    "SIGNED_MESSAGES": "false",
    "CIPHERTEXT_ENCODING": "base64",
    "SINGLE_WRITING_REGION": "false",
    "CONTROL_TABLE_NAME": "<ControlTable>",
    "SETTING_CACHE_SECONDS": "5",
    "AWS_USE_FIPS_ENDPOINT": "false",
    "POWERTOOLS_SERVICE_NAME": "app",
    "POWERTOOLS_METRICS_NAMESPACE": "StreamEncryptor",
    "POWERTOOLS_LOG_LEVEL": "INFO",
}
FAILURES = {"FAILURE_QUEUE_URL": "<FailureQueue>", "DEFERRED_QUEUE_URL": "<DeferredQueue>"}
QUEUES = FAILURES | {"RETRY_QUEUE_URL": "<RetryQueue>"}
MIGRATION = FAILURES | {"WORK_QUEUE_URL": "<WorkQueue>"}
STREAM = {"STREAM_MAPPING_ID": "<StreamMapping>", "TABLE_STREAM_ARN": "<SessionTable.StreamArn>"}
USERS = {"USER_CLAIM": "sub", "TRUSTED_ROLE_IDS": ""}
READING = {"READ_CACHE_SECONDS": "60"}
FUNCTION_READS = {
    "StreamEncryptorFunction": QUEUES | {"BATCHED_WRITES": "true"},
    "RetryFunction": QUEUES,
    "ReaderFunction": USERS | {"USER_INDEX_NAME": "byUserId"} | READING,
    "ItemReaderFunction": READING,
    "MigratorFunction": MIGRATION | {"MIGRATOR_CONCURRENCY": "4", "BATCHED_WRITES": "true"},
    "DeferredFunction": MIGRATION,
    "ControlFunction": MIGRATION | STREAM,
    "AdminFunction": {
        "WORK_QUEUE_URL": "<WorkQueue>",
        "USER_CLAIM": "sub",
        "ADMIN_GROUP_CLAIM": "cognito:groups",
        "ADMIN_GROUP": "admin",
    },
    "SessionKeysFunction": USERS,
    "WatcherFunction": {
        "FAILURE_QUEUE_URL": "<FailureQueue>",
        "TABLE_STREAM_ARN": "<SessionTable.StreamArn>",
        "MAPPING_IDS": "<StreamMapping>,<RetryMapping>,<WorkMapping>,<DeferredMapping>",
        "ALARM_TOPIC_ARN": "",
        "SWEEP_STANDSTILL_MINUTES": "45",
    },
}
CONSUMERS = {
    "RetryQueue": "RetryFunction",
    "DeferredQueue": "DeferredFunction",
    "WorkQueue": "MigratorFunction",
}
DAYS_14 = 14 * 24 * 3600


def stack(**parameters: str) -> Stack:
    return Stack(TEMPLATE, parameters)


class TestTable:
    def test_made_table_has_the_keys_of_chat_sessions_and_costs_nothing_idle(self):
        table = stack().properties("SessionTable")
        assert table["KeySchema"] == [
            {"AttributeName": "sessionId", "KeyType": "HASH"},
            {"AttributeName": "userId", "KeyType": "RANGE"},
        ]
        assert table["BillingMode"] == "PAY_PER_REQUEST"

    def test_stream_of_made_table_holds_keys_only(self):
        assert stack().properties("SessionTable")["StreamSpecification"] == {"StreamViewType": "KEYS_ONLY"}

    def test_index_by_user_projects_what_the_list_shows_and_no_secret(self):
        (index,) = stack().properties("SessionTable")["GlobalSecondaryIndexes"]
        assert [key["AttributeName"] for key in index["KeySchema"]] == ["userId", "startTime"]
        assert index["Projection"]["ProjectionType"] == "INCLUDE"
        assert set(index["Projection"]["NonKeyAttributes"]) == {
            "name",
            "createTime",
            "lastUpdated",
            "is_encrypted",
        }

    def test_made_table_is_recoverable_and_encrypted_at_rest(self):
        table = stack().properties("SessionTable")
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert table["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS"}

    def test_table_key_is_the_tables_own(self):
        table = stack(TableKeyArn=f"{KEY_ARN}1").properties("SessionTable")
        assert table["SSESpecification"]["KMSMasterKeyId"] == f"{KEY_ARN}1"

    @pytest.mark.parametrize("protected", ["true", "false"])
    def test_deletion_protection_follows_its_parameter(self, protected):
        tables = stack(DeletionProtection=protected).of_type("AWS::DynamoDB::Table")
        assert {table["DeletionProtectionEnabled"] for table in tables.values()} == {protected}

    def test_existing_table_is_used_and_none_is_made(self):
        with_table = stack(**EXISTING)
        assert set(with_table.of_type("AWS::DynamoDB::Table")) == {"ControlTable"}
        assert with_table.properties("StreamMapping")["EventSourceArn"] == EXISTING["TableStreamArn"]
        assert with_table.outputs["TableName"]["Value"] == "chats"
        assert with_table.outputs["TableStreamArn"]["Value"] == EXISTING["TableStreamArn"]


class TestKey:
    @pytest.mark.parametrize("days", ["90", "2560"])
    def test_made_key_rotates_after_the_days_of_its_parameter(self, days):
        key = stack(KeyRotationDays=days).properties("EncryptionKey")
        assert key["EnableKeyRotation"] is True
        assert key["RotationPeriodInDays"] == days

    def test_made_key_has_an_alias(self):
        assert stack().properties("EncryptionKeyAlias")["TargetKeyId"] == "<EncryptionKey>"

    def test_existing_key_is_used_and_none_is_made(self):
        with_key = stack(**EXISTING)
        assert not with_key.of_type("AWS::KMS::Key")
        assert not with_key.of_type("AWS::KMS::Alias")
        assert with_key.outputs["KeyArn"]["Value"] == EXISTING["KmsKeyArn"]

    @pytest.mark.parametrize(
        ("logical_id", "policy"),
        [("SessionTable", "Retain"), ("EncryptionKey", "RetainExceptOnCreate"), ("ControlTable", "Retain")],
    )
    def test_what_data_would_be_lost_with_is_retained(self, logical_id, policy):
        resource = stack().resources[logical_id]
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == (policy, "Retain")


class TestQueues:
    @pytest.mark.parametrize("queue", ["RetryQueue", "DeferredQueue", "WorkQueue", "FailureQueue"])
    def test_queues_are_encrypted_and_keep_messages_for_14_days(self, queue):
        properties = stack().properties(queue)
        assert properties["SqsManagedSseEnabled"] is True
        assert properties["MessageRetentionPeriod"] == DAYS_14

    def test_there_are_no_other_queues(self):
        assert set(stack().of_type("AWS::SQS::Queue")) == {*CONSUMERS, "FailureQueue"}

    def test_what_was_received_too_often_ends_in_the_failure_queue_which_takes_it_from_nowhere_else(self):
        made = stack()
        for queue in CONSUMERS:
            assert made.properties(queue)["RedrivePolicy"]["deadLetterTargetArn"] == "<FailureQueue.Arn>"
            assert made.properties(queue)["RedriveAllowPolicy"] == {"redrivePermission": "denyAll"}
        allowed = made.properties("FailureQueue")["RedriveAllowPolicy"]
        names = [made.properties(queue)["QueueName"] for queue in CONSUMERS]
        assert allowed["redrivePermission"] == "byQueue"
        assert sorted(allowed["sourceQueueArns"]) == sorted(
            f"arn:aws:sqs:eu-west-1:111122223333:{name}" for name in names
        )

    @pytest.mark.parametrize("queue", CONSUMERS)
    def test_tries_outlast_an_hour(self, queue):
        properties = stack().properties(queue)
        assert properties["VisibilityTimeout"] * properties["RedrivePolicy"]["maxReceiveCount"] > 3600

    @pytest.mark.parametrize(("queue", "function"), CONSUMERS.items())
    def test_a_message_stays_invisible_for_six_timeouts_of_its_function(self, queue, function):
        made = stack()
        assert made.properties(queue)["VisibilityTimeout"] >= 6 * made.properties(function)["Timeout"]

    def test_a_dead_letter_stays_invisible_while_the_control_function_works_on_it(self):
        made = stack()
        assert made.properties("FailureQueue")["VisibilityTimeout"] > made.properties("ControlFunction")["Timeout"]


class TestFunctions:
    def test_functions_are_those_of_the_design(self):
        functions = stack().of_type("AWS::Lambda::Function")
        assert {name: function["Handler"] for name, function in functions.items()} == HANDLERS

    @pytest.mark.parametrize("name", HANDLERS)
    def test_function_gets_exactly_the_variables_it_reads(self, name):
        variables = stack().properties(name)["Environment"]["Variables"]
        assert variables == EVERY_FUNCTION_READS | FUNCTION_READS[name]

    @pytest.mark.parametrize("name", HANDLERS)
    def test_function_works_on_the_existing_table_and_key(self, name):
        variables = stack(**EXISTING).properties(name)["Environment"]["Variables"]
        assert variables["TABLE_NAME"] == "chats"
        assert variables["SESSION_ENCRYPTION_KEY_ARN"] == EXISTING["KmsKeyArn"]
        assert variables["EARLIER_KEY_ARNS"] == EXISTING["EarlierKeyArns"]

    @pytest.mark.parametrize("name", HANDLERS)
    @pytest.mark.parametrize(
        ("parameter", "value", "variable"),
        [
            ("EncryptionEnabled", "false", "SESSION_ENCRYPTION_ENABLED"),
            ("EncryptedAttributes", "a,b", "ENCRYPTED_ATTRIBUTES"),
            ("EarlierAttributes", "c", "EARLIER_ATTRIBUTES"),
            ("AppendedAttributes", "a", "APPENDED_ATTRIBUTES"),
            ("ContextAttributes", "pk", "CONTEXT_ATTRIBUTES"),
            ("ContextPurpose", "orders", "CONTEXT_PURPOSE"),
            ("SignedMessages", "true", "SIGNED_MESSAGES"),
            ("CiphertextEncoding", "binary", "CIPHERTEXT_ENCODING"),
            ("SingleWritingRegion", "true", "SINGLE_WRITING_REGION"),
            ("SettingCacheSeconds", "7", "SETTING_CACHE_SECONDS"),
            ("UseFipsEndpoint", "true", "AWS_USE_FIPS_ENDPOINT"),
        ],
    )
    def test_parameter_reaches_every_function(self, name, parameter, value, variable):
        made = stack(**{parameter: value})
        assert made.properties(name)["Environment"]["Variables"][variable] == value

    @pytest.mark.parametrize("name", ["StreamEncryptorFunction", "MigratorFunction"])
    def test_batched_writes_are_for_the_functions_that_write_many_items(self, name):
        made = stack(BatchedWrites="false")
        assert made.properties(name)["Environment"]["Variables"]["BATCHED_WRITES"] == "false"

    @pytest.mark.parametrize(
        ("parameter", "value", "variable", "functions"),
        [
            ("UserClaim", "email", "USER_CLAIM", ["ReaderFunction", "AdminFunction", "SessionKeysFunction"]),
            ("TrustedRoleIds", "AROAEXAMPLEEXAMPLE", "TRUSTED_ROLE_IDS", ["ReaderFunction", "SessionKeysFunction"]),
            ("AdminGroupClaim", "roles", "ADMIN_GROUP_CLAIM", ["AdminFunction"]),
            ("AdminGroup", "operators", "ADMIN_GROUP", ["AdminFunction"]),
            ("ReadCacheSeconds", "0", "READ_CACHE_SECONDS", ["ReaderFunction", "ItemReaderFunction"]),
        ],
    )
    def test_parameter_reaches_the_functions_behind_the_api(self, parameter, value, variable, functions):
        made = stack(**{parameter: value})
        for function in functions:
            assert made.properties(function)["Environment"]["Variables"][variable] == value

    @pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
    def test_layer_and_functions_are_of_one_architecture(self, architecture):
        made = stack(Architecture=architecture)
        ((layer_id, layer),) = made.of_type("AWS::Lambda::LayerVersion").items()
        assert layer["CompatibleArchitectures"] == [architecture]
        for function in made.of_type("AWS::Lambda::Function").values():
            assert function["Architectures"] == [architecture]
            assert function["Runtime"] == "python3.13"
            assert function["Layers"] == [f"<{layer_id}>"]

    def test_each_layer_is_built_by_a_target_of_its_own_for_the_architecture_it_is_for(self):
        """`sam build` calls the target `build-<logical id>`, and tells it no architecture."""
        targets = re.findall(r"^build-(\w+):.*\n\t.* build_layer\.py (\w+) ", LAYER_MAKEFILE.read_text(), re.MULTILINE)
        layers = {
            logical_id: layer
            for logical_id, layer in source()["Resources"].items()
            if layer["Type"] == "AWS::Serverless::LayerVersion"
        }
        assert len(layers) == 4
        assert dict(targets) == {
            logical_id: layer["Metadata"]["BuildArchitecture"] for logical_id, layer in layers.items()
        }
        for layer in layers.values():
            assert layer["Metadata"]["BuildMethod"] == "makefile"
            assert layer["Properties"]["CompatibleArchitectures"] == [layer["Metadata"]["BuildArchitecture"]]

    def test_every_function_is_compiled_when_it_is_built(self):
        functions = [one for one in source()["Resources"].values() if one["Type"] == "AWS::Serverless::Function"]
        assert len(functions) > len(HANDLERS)  # The admin page's is made where it is asked for.
        assert [one.get("Metadata") for one in functions] == [{"BuildMethod": "makefile"}] * len(functions)

    @pytest.mark.parametrize("name", ["Reader", "Admin", "SessionKeys"])
    def test_function_answers_before_the_api_gives_up(self, name):
        made = stack()
        timeout = made.properties(f"{name}Function")["Timeout"]
        assert timeout * 1000 < made.properties(f"{name}Integration")["TimeoutInMillis"] <= 30000

    def test_each_function_logs_json_into_a_group_of_its_own_that_is_not_kept_for_ever(self):
        made = stack(LogRetentionDays="30")
        groups = set()
        for function in made.of_type("AWS::Lambda::Function").values():
            assert function["LoggingConfig"]["LogFormat"] == "JSON"
            groups.add(function["LoggingConfig"]["LogGroup"])
        assert len(groups) == len(HANDLERS)
        of_groups = made.of_type("AWS::Logs::LogGroup")
        assert groups | {"<ApiLogGroup>"} == {f"<{name}>" for name in of_groups}
        assert {group["RetentionInDays"] for group in of_groups.values()} == {"30"}


class TestMappings:
    def test_stream_is_read_from_its_beginning_with_partial_batch_responses(self):
        mapping = stack().properties("StreamMapping")
        assert mapping["FunctionName"] == "<StreamEncryptorFunction>"
        assert mapping["EventSourceArn"] == "<SessionTable.StreamArn>"
        assert mapping["StartingPosition"] == "TRIM_HORIZON"
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert mapping["BisectBatchOnFunctionError"] is True

    def test_deletions_are_filtered(self):
        (only,) = stack().properties("StreamMapping")["FilterCriteria"]["Filters"]
        assert json.loads(only["Pattern"]) == {"eventName": ["INSERT", "MODIFY"]}

    def test_records_that_keep_failing_end_in_the_failure_queue(self):
        mapping = stack().properties("StreamMapping")
        assert mapping["DestinationConfig"] == {"OnFailure": {"Destination": "<FailureQueue.Arn>"}}

    def test_records_are_kept_as_long_as_leaves_an_hour_to_read_their_range_again(self):
        """Lambda discards any record of that age, also one that was never tried."""
        mapping = stack().properties("StreamMapping")
        assert mapping["MaximumRetryAttempts"] == "-1"
        assert int(mapping["MaximumRecordAgeInSeconds"]) == 23 * 3600
        assert "healthy records too" in TEMPLATE["Parameters"]["StreamRecordAge"]["Description"]

    @pytest.mark.parametrize(
        ("parameter", "member"),
        [
            ("StreamBatchSize", "BatchSize"),
            ("StreamBatchWindow", "MaximumBatchingWindowInSeconds"),
            ("StreamParallelization", "ParallelizationFactor"),
            ("StreamRetries", "MaximumRetryAttempts"),
            ("StreamRecordAge", "MaximumRecordAgeInSeconds"),
        ],
    )
    def test_stream_mapping_follows_its_parameters(self, parameter, member):
        assert stack(**{parameter: "7"}).properties("StreamMapping")[member] == "7"

    def test_retry_queue_is_read_by_the_retry_function(self):
        mapping = stack().properties("RetryMapping")
        assert mapping["FunctionName"] == "<RetryFunction>"
        assert mapping["EventSourceArn"] == "<RetryQueue.Arn>"
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert mapping["ScalingConfig"]["MaximumConcurrency"] >= 2


class TestApi:
    def test_routes_are_those_of_the_reader_of_the_setting_and_of_data_keys(self):
        routes = stack().of_type("AWS::ApiGatewayV2::Route").values()
        assert {route["RouteKey"]: route["Target"] for route in routes} == {
            "GET /session": "integrations/<ReaderIntegration>",
            "GET /session/{sessionId}": "integrations/<ReaderIntegration>",
            "PUT /session/{sessionId}": "integrations/<ReaderIntegration>",
            "DELETE /session/{sessionId}": "integrations/<ReaderIntegration>",
            "GET /session/encryption/config": "integrations/<AdminIntegration>",
            "PUT /session/encryption/config": "integrations/<AdminIntegration>",
            "POST /session/encryption/generate-key": "integrations/<SessionKeysIntegration>",
            "POST /session/encryption/decrypt-key": "integrations/<SessionKeysIntegration>",
        }

    @pytest.mark.parametrize("name", ["Reader", "Admin", "SessionKeys"])
    def test_integration_is_of_its_function(self, name):
        integration = stack().properties(f"{name}Integration")
        assert integration["IntegrationUri"] == f"<{name}Function.Arn>"
        assert integration["PayloadFormatVersion"] == "2.0"

    def test_every_route_asks_for_an_iam_signature_without_an_issuer(self):
        made = stack()
        assert not made.of_type("AWS::ApiGatewayV2::Authorizer")
        for route in made.of_type("AWS::ApiGatewayV2::Route").values():
            assert route["AuthorizationType"] == "AWS_IAM"
            assert "AuthorizerId" not in route

    def test_every_route_asks_for_a_token_with_an_issuer(self):
        made = stack(**WITH_TOKENS)
        assert made.properties("JwtAuthorizer")["AuthorizerType"] == "JWT"
        assert made.properties("JwtAuthorizer")["JwtConfiguration"] == {
            "Issuer": "https://issuer.example",
            "Audience": ["web", "mobile"],
        }
        for route in made.of_type("AWS::ApiGatewayV2::Route").values():
            assert route["AuthorizationType"] == "JWT"
            assert route["AuthorizerId"] == "<JwtAuthorizer>"

    def test_api_is_throttled(self):
        made = stack(ApiThrottleRate="5", ApiThrottleBurst="6")
        assert made.properties("HttpStage")["DefaultRouteSettings"] == {
            "ThrottlingRateLimit": "5",
            "ThrottlingBurstLimit": "6",
        }

    def test_routes_of_data_keys_are_throttled_by_themselves_and_are_made_before_the_stage_that_names_them(self):
        made = stack(KeyThrottleRate="3", KeyThrottleBurst="4")
        settings = made.properties("HttpStage")["RouteSettings"]
        names = ["GenerateKeyRoute", "DecryptKeyRoute"]
        own = {"ThrottlingRateLimit": "3", "ThrottlingBurstLimit": "4"}
        assert settings == {made.properties(name)["RouteKey"]: own for name in names}
        assert made.resources["HttpStage"]["DependsOn"] == names

    def test_access_log_tells_what_happened_but_not_what_was_said(self):
        settings = stack().properties("HttpStage")["AccessLogSettings"]
        entry = json.loads(settings["Format"])
        assert settings["DestinationArn"] == "<ApiLogGroup.Arn>"
        assert set(entry.values()) == {
            "$context.requestId",
            "$context.integration.requestId",
            "$context.requestTime",
            "$context.routeKey",
            "$context.status",
            "$context.identity.sourceIp",
            "$context.authorizer.error",
            "$context.integrationStatus",
            "$context.responseLatency",
            "$context.responseLength",
        }

    def test_no_origin_is_allowed_by_default(self):
        assert "CorsConfiguration" not in stack().properties("HttpApi")

    def test_origins_are_allowed_by_parameter(self):
        cors = stack(AllowedOrigins="https://a.example,https://b.example").properties("HttpApi")["CorsConfiguration"]
        assert cors["AllowOrigins"] == ["https://a.example", "https://b.example"]
        assert cors["AllowMethods"] == ["GET", "PUT", "POST", "DELETE"]
        assert "AllowCredentials" not in cors

    def test_pages_of_allowed_origins_may_sign_and_make_conditions_and_read_what_answers_tell_in_headers(self):
        cors = stack(AllowedOrigins="https://a.example").properties("HttpApi")["CorsConfiguration"]
        signature = {"x-amz-content-sha256", "x-amz-date", "x-amz-security-token"}
        assert set(cors["AllowHeaders"]) == {"authorization", "content-type", "if-match", "if-none-match"} | signature
        assert cors["ExposeHeaders"] == ["etag", "retry-after", "apigw-requestid"]


class TestAlarmsAndDashboard:
    @pytest.mark.parametrize("metric", ["Errors", "Throttles"])
    @pytest.mark.parametrize("function", HANDLERS)
    def test_errors_and_throttles_of_each_function_raise_an_alarm(self, function, metric):
        alarms = [
            alarm
            for alarm in stack().of_type("AWS::CloudWatch::Alarm").values()
            if alarm.get("MetricName") == metric
            and alarm["Dimensions"] == [{"Name": "FunctionName", "Value": f"<{function}>"}]
        ]
        assert len(alarms) == 1
        assert alarms[0]["Threshold"] == 0

    def test_a_dead_letter_raises_an_alarm(self):
        alarm = stack().properties("FailureQueueAlarm")
        assert alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
        assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": "<FailureQueue.QueueName>"}]
        assert alarm["Threshold"] == 0

    @pytest.mark.parametrize(
        ("alarm", "parameter", "metric", "stat", "divisor"),
        [
            ("OldestFailureAlarm", "OldestFailureAlarmDays", "OldestFailureAge", "Maximum", 24 * 3600),
            ("OldestRetryAlarm", "OldestRetryAlarmMinutes", "ApproximateAgeOfOldestMessage", "Maximum", 60),
            ("RetryAgeAlarm", "OldestRetryAlarmMinutes", "RetryMessageAge", "Maximum", 60),
            ("WorkAgeAlarm", "OldestWorkAlarmMinutes", "WorkMessageAge", "Maximum", 60),
            ("DeferredAgeAlarm", "OldestDeferredAlarmMinutes", "DeferredMessageAge", "Maximum", 60),
            ("SweepStandstillAlarm", "SweepStandstillAlarmMinutes", "SweepStandstill", "Maximum", 60),
            ("OldestWorkAlarm", "OldestWorkAlarmMinutes", "ApproximateAgeOfOldestMessage", "Maximum", 60),
            ("OldestDeferredAlarm", "OldestDeferredAlarmMinutes", "ApproximateAgeOfOldestMessage", "Maximum", 60),
            ("IteratorAgeAlarm", "IteratorAgeAlarmSeconds", "IteratorAge", "Maximum", 1000),
            ("PlaintextWindowAlarm", "PlaintextWindowAlarmSeconds", "PlaintextWindow", "p99", 1000),
        ],
    )
    def test_alarm_is_in_the_unit_of_its_parameter(self, alarm, parameter, metric, stat, divisor):
        properties = stack(**{parameter: "41"}).properties(alarm)
        expression, data = properties["Metrics"]
        assert properties["Threshold"] == "41"
        assert expression["Expression"] == f"{data['Id']} / {divisor}"
        assert data["MetricStat"]["Metric"]["MetricName"] == metric
        assert data["MetricStat"]["Stat"] == stat
        assert data["ReturnData"] is False

    @pytest.mark.parametrize(
        ("alarm", "queue"),
        [
            ("OldestRetryAlarm", "RetryQueue"),
            ("OldestWorkAlarm", "WorkQueue"),
            ("OldestDeferredAlarm", "DeferredQueue"),
        ],
    )
    def test_alarm_of_age_watches_its_queue(self, alarm, queue):
        metric = stack().properties(alarm)["Metrics"][1]["MetricStat"]["Metric"]
        assert metric["Dimensions"] == [{"Name": "QueueName", "Value": f"<{queue}.QueueName>"}]

    @pytest.mark.parametrize(
        ("alarm", "metric"),
        [
            ("DecryptionsFailedAlarm", "DecryptionsFailed"),
            ("SweepDeadAlarm", "SweepsDead"),
            ("SystemicFailuresAlarm", "ItemsFailedSystemic"),
            ("ScheduledSweepRefusedAlarm", "ScheduledSweepsRefused"),
            ("MappingDisabledAlarm", "MappingsDisabled"),
            ("StreamReplacedAlarm", "StreamReplaced"),
            ("ApiServerErrorsAlarm", "5xx"),
        ],
    )
    def test_what_must_not_happen_raises_an_alarm_the_first_time(self, alarm, metric):
        properties = stack().properties(alarm)
        assert (properties["MetricName"], properties["Threshold"]) == (metric, 0)
        assert (properties["EvaluationPeriods"], properties["Period"]) == (1, 300)
        assert properties["ComparisonOperator"] == "GreaterThanThreshold"

    def test_alarms_notify_the_topic_that_is_given_and_nobody_otherwise(self):
        topic = "arn:aws:sns:eu-west-1:111122223333:alarms"
        for alarm in stack(AlarmTopicArn=topic).of_type("AWS::CloudWatch::Alarm").values():
            assert alarm["AlarmActions"] == [topic]
        for alarm in stack().of_type("AWS::CloudWatch::Alarm").values():
            assert "AlarmActions" not in alarm

    def test_a_silent_watcher_raises_an_alarm(self):
        """What rests on it has no data then, and is silent with it."""
        alarm = stack().properties("WatcherSilentAlarm")
        assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/Lambda", "Invocations")
        assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": "<WatcherFunction>"}]
        assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
        assert alarm["TreatMissingData"] == "breaching"

    def test_server_errors_are_those_of_this_api(self):
        alarm = stack().properties("ApiServerErrorsAlarm")
        assert alarm["Namespace"] == "AWS/ApiGateway"
        assert alarm["Dimensions"] == [{"Name": "ApiId", "Value": "<HttpApi>"}]

    def test_dashboard_shows_what_an_operator_asks_first(self):
        body = json.loads(stack().properties("Dashboard")["DashboardBody"])
        metrics = [metric for widget in body["widgets"] for metric in widget["properties"]["metrics"]]
        shown = {member for metric in metrics for member in metric if isinstance(member, str)}
        assert shown >= {
            "PlaintextWindow",
            "ItemsEncrypted",
            "ItemsDecrypted",
            "ItemsSkipped",
            "ItemsSuperseded",
            "ItemsDeferred",
            "ItemsFailedPermanent",
            "ItemsKeyDestroyed",
            "ItemsFailedTransient",
            "ItemsFailedSystemic",
            "KmsCalls",
            "KmsLatency",
            "ApproximateNumberOfMessagesVisible",
            "ApproximateAgeOfOldestMessage",
            "SweepsDead",
            "ConcurrentExecutions",
            "IteratorAge",
            "4xx",
            "5xx",
            *(f"<{queue}.QueueName>" for queue in [*CONSUMERS, "FailureQueue"]),
            *(f"<{function}>" for function in HANDLERS),
        }
        searches = " ".join(member["expression"] for metric in metrics for member in metric if "expression" in member)
        assert re.findall(r"{StreamEncryptor,(\w+),service} MetricName=\"(\w+)\"", searches) == [
            ("route", "Requests"),
            ("class", "Errors"),
        ]
        stats = {metric[-1].get("stat") for metric in metrics if isinstance(metric[-1], dict)}
        assert {"p50", "p99"} <= stats

    def test_widgets_do_not_overlap(self):
        cells: set[tuple[int, int]] = set()
        for widget in json.loads(stack().properties("Dashboard")["DashboardBody"])["widgets"]:
            columns = range(widget["x"], widget["x"] + widget["width"])
            rows = range(widget["y"], widget["y"] + widget["height"])
            own = {(x, y) for x in columns for y in rows}
            assert not own & cells
            assert max(columns) < 24
            cells |= own


class TestOutputs:
    def test_outputs_name_what_an_operator_needs(self):
        outputs = stack().outputs
        assert {name: output["Value"] for name, output in outputs.items()} == {
            "TableName": "<SessionTable>",
            "TableStreamArn": "<SessionTable.StreamArn>",
            "KeyArn": "<EncryptionKey.Arn>",
            "ControlTableName": "<ControlTable>",
            "RetryQueueUrl": "<RetryQueue>",
            "DeferredQueueUrl": "<DeferredQueue>",
            "WorkQueueUrl": "<WorkQueue>",
            "FailureQueueUrl": "<FailureQueue>",
            "ApiUrl": "https://<HttpApi>.execute-api.eu-west-1.amazonaws.com",
            "StreamEncryptorFunctionName": "<StreamEncryptorFunction>",
            "ReaderFunctionName": "<ReaderFunction>",
            "ItemReaderFunctionName": "<ItemReaderFunction>",
            "ControlFunctionName": "<ControlFunction>",
            "MigratorFunctionName": "<MigratorFunction>",
            "AdminFunctionName": "<AdminFunction>",
            "SessionKeysFunctionName": "<SessionKeysFunction>",
            "WatcherFunctionName": "<WatcherFunction>",
            "LogGroupPrefix": "/aws/lambda/app-0a1b2c3d",
        }
        assert all(re.fullmatch(r"[A-Z].+", output["Description"]) for output in outputs.values())

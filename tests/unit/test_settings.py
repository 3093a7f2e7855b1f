import pytest

from encryptor_runtime.settings import Settings, SwitchSettings
from item_crypto import ConfigurationError
from item_crypto.core.encoding import Encoding

KEY = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
EARLIER = "arn:aws:kms:eu-central-1:111122223333:key/0987dcba-09fe-87dc-65ba-ab0987654321"
ENVIRONMENT = {
    "TABLE_NAME": "sessions",
    "SESSION_ENCRYPTION_KEY_ARN": KEY,
    "ENCRYPTED_ATTRIBUTES": "history,configuration",
    "CONTEXT_ATTRIBUTES": "userId,sessionId",
    "CONTEXT_PURPOSE": "session-encryption",
}


def settings(**changes: str) -> Settings:
    return Settings.from_environment(ENVIRONMENT | changes)


def test_environment_when_only_the_necessary_is_set_then_the_rest_is_safe() -> None:
    taken = settings()

    assert taken.switch == SwitchSettings(control_table=None, enabled=True, cache_seconds=5)
    assert (taken.signed, taken.single_writing_region) == (False, False)
    assert (taken.earlier_key_arns, taken.appended) == ((), frozenset())
    assert (taken.encoding, taken.policy.encoding) == (Encoding.BASE64, Encoding.BASE64)
    assert taken.policy.attributes == ("history", "configuration")
    assert taken.key_arn == KEY
    assert taken.policy.enabled is True


def test_environment_when_all_is_set_then_it_is_read() -> None:
    taken = settings(
        EARLIER_KEY_ARNS=f" {EARLIER} ,, {EARLIER}",
        APPENDED_ATTRIBUTES="history",
        SESSION_ENCRYPTION_ENABLED="False",
        SIGNED_MESSAGES="true",
        CIPHERTEXT_ENCODING=" Binary ",
        SINGLE_WRITING_REGION="true",
        BATCHED_WRITES="true",
    )

    assert taken.earlier_key_arns == (EARLIER,)
    assert taken.appended == {"history"}
    assert (taken.switch.enabled, taken.signed, taken.single_writing_region) == (False, True, True)
    assert (taken.batched_writes, settings().batched_writes) == (True, False)
    assert (taken.encoding, taken.policy.encoding) == (Encoding.BINARY, Encoding.BINARY)


def test_control_table_when_a_function_cannot_do_without_then_it_is_required_by_name() -> None:
    told = settings(CONTROL_TABLE_NAME=" control ", SETTING_CACHE_SECONDS="2.5").switch

    assert told == SwitchSettings("control", True, 2.5)
    assert told.required_table() == "control"
    with pytest.raises(ConfigurationError, match="CONTROL_TABLE_NAME is not set"):
        settings(CONTROL_TABLE_NAME=" ").switch.required_table()


@pytest.mark.parametrize("text", ["", "soon", "-1", "1e3", "1.", "nan"])
def test_cache_lifetime_when_it_is_no_number_of_seconds_then_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="SETTING_CACHE_SECONDS must be"):
        settings(SETTING_CACHE_SECONDS=text)


@pytest.mark.parametrize("name", ENVIRONMENT)
@pytest.mark.parametrize("text", [None, "", "   "])
def test_necessary_setting_when_missing_then_refused_by_name(name: str, text: str | None) -> None:
    environment = {key: value for key, value in ENVIRONMENT.items() if key != name}
    if text is not None:
        environment[name] = text

    with pytest.raises(ConfigurationError, match=f"^{name}"):
        Settings.from_environment(environment)


@pytest.mark.parametrize("name", ["ENCRYPTED_ATTRIBUTES", "CONTEXT_ATTRIBUTES"])
@pytest.mark.parametrize("text", [",", " , ,"])
def test_list_when_it_names_nothing_then_refused_and_not_taken_for_nothing_to_encrypt(name: str, text: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name}"):
        settings(**{name: text})


@pytest.mark.parametrize(
    "name", ["SESSION_ENCRYPTION_ENABLED", "SIGNED_MESSAGES", "SINGLE_WRITING_REGION", "BATCHED_WRITES"]
)
@pytest.mark.parametrize("text", ["", "yes", "1", "off", "tru"])
def test_switch_when_it_cannot_be_read_then_refused_and_never_taken_for_off(name: str, text: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name}"):
        settings(**{name: text})


@pytest.mark.parametrize("text", ["", "hex", "true", "base64,binary"])
def test_encoding_when_it_is_none_then_refused_by_name(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^CIPHERTEXT_ENCODING must be base64 or binary$"):
        settings(CIPHERTEXT_ENCODING=text)


@pytest.mark.parametrize("name", ["SESSION_ENCRYPTION_KEY_ARN", "EARLIER_KEY_ARNS"])
@pytest.mark.parametrize("text", ["alias/sessions", "arn:aws:kms:eu-central-1:111122223333:alias/sessions", "1234"])
def test_key_when_it_is_not_given_by_its_arn_then_refused(name: str, text: str) -> None:
    with pytest.raises(ConfigurationError):
        settings(**{name: text})


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"ENCRYPTED_ATTRIBUTES": "history,is_encrypted"}, id="a marker"),
        pytest.param({"ENCRYPTED_ATTRIBUTES": "encryption_version"}, id="another marker"),
        pytest.param({"ENCRYPTED_ATTRIBUTES": "encrypted_history"}, id="a ciphertext"),
        pytest.param({"ENCRYPTED_ATTRIBUTES": "history,at"}, id="one whose ciphertext would be a marker"),
        pytest.param({"ENCRYPTED_ATTRIBUTES": "history,history_conflict"}, id="a conflict"),
        pytest.param({"ENCRYPTED_ATTRIBUTES": "history,userId"}, id="a part of the context"),
        pytest.param({"APPENDED_ATTRIBUTES": "messages"}, id="appended and not encrypted"),
        pytest.param({"CONTEXT_ATTRIBUTES": "purpose"}, id="the purpose"),
        pytest.param({"CONTEXT_ATTRIBUTES": "userId,aws-crypto-public-key"}, id="a name of the SDK"),
    ],
)
def test_names_when_they_would_collide_then_refused(changes: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError):
        settings(**changes)

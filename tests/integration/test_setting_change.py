"""The setting is changed by what it is now, never by a reading of before, through the API and the command alike."""

from collections.abc import Iterator
from uuid import uuid4

import boto3
import pytest

from admin import application
from migrator.application import application as migrator
from tests.factories import audit_lines
from tests.integration.test_admin import Admin
from tests.migration import Migration
from tests.records import bodies


@pytest.fixture
def _anew(aws: None) -> Iterator[None]:
    yield
    application.application.cache_clear()
    migrator.cache_clear()
    boto3.setup_default_session()


@pytest.mark.usefixtures("_anew")
class TestApi:
    @pytest.fixture
    def admin(self, monkeypatch: pytest.MonkeyPatch) -> Admin:
        admin = Admin(monkeypatch)
        admin.set(SETTING_CACHE_SECONDS="60")
        application.application().switch.read()
        return admin

    def test_given_a_change_of_somebody_else_when_put_at_its_version_then_it_is_no_conflict(self, admin: Admin) -> None:
        admin.other.change(False, "carol", 0)

        assert admin.put({"enabled": True, "version": 1}).status == 200

        assert admin.setting().version == 2
        assert [message["settingVersion"] for message in admin.messages()] == [2, 2]

    def test_given_a_change_of_somebody_else_when_put_at_the_version_before_then_it_is_a_conflict(
        self, admin: Admin
    ) -> None:
        admin.other.change(False, "carol", 0)

        assert admin.put({"enabled": True, "version": 0}).status == 409

        assert (admin.setting().enabled, admin.messages()) == (False, [])

    def test_given_it_is_off_by_somebody_else_when_put_on_then_it_is_not_taken_for_unchanged(
        self, admin: Admin
    ) -> None:
        admin.other.change(False, "carol", 0)
        admin.put({"enabled": True, "version": 1})

        assert admin.setting().enabled is True

    def test_given_a_change_of_somebody_else_when_put_then_the_audit_line_says_what_was_found(
        self, admin: Admin, capsys: pytest.CaptureFixture[str]
    ) -> None:
        admin.set(POWERTOOLS_SERVICE_NAME=f"test-{uuid4()}")  # It starts anew, where its lines are read.
        application.application().switch.read()
        admin.other.change(False, "carol", 0)

        admin.put({"enabled": True, "version": 1})

        (line,) = [line for line in audit_lines(capsys.readouterr().out) if line["operation"] == "change-config"]
        assert (line["versionBefore"], line["enabledBefore"], line["result"]) == (1, False, "changed")


@pytest.mark.usefixtures("_anew")
def test_given_a_change_by_another_function_when_the_command_follows_then_it_sees_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = Migration(monkeypatch)
    world.set(SETTING_CACHE_SECONDS="60")
    world.parts.switch.read()
    world.switch(False, 0)

    assert world.command("set-config", enabled=False, version=1, confirm="switch-off")["setting"]["version"] == 1
    assert bodies(world.work) == []

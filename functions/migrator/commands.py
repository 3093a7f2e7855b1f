"""The operator's commands: each is parsed, done and shown."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from encryptor_runtime.messages import Goal
from encryptor_runtime.remembered import RememberedAttributes
from encryptor_runtime.switch import VersionConflict
from encryptor_runtime.switch_and_sweep import narrows, switch_and_sweep
from evidence.basis import changes
from evidence.report import Findings
from evidence.summary import summary
from evidence.sweep import read_sweep
from evidence.verdict import judge, wanted
from item_crypto.core.codec import to_json
from item_crypto.core.part import ListedKeys
from item_crypto.errors import InvalidRequest, PermanentError
from item_crypto.items import ItemCipher
from migrator import reporting, requests, views
from migrator.application import Application
from migrator.dry_run import DryRun
from migrator.progress import State, Sweep
from migrator.queries import ENABLED
from migrator.requests import ChangeRequest, Refused, StartRequest
from migrator.starting import Forbidden, WrongState
from migrator.sweeps import LOOKED_AT, SweepRunning
from migrator.tenants import TenantCommands


class Commands:
    """Carries out commands. Each raises Refused, and TransientError or SystemicError where a service does not answer.

    Args:
        parts: the migrator's parts.
        seconds_left: returns how much time remains.
    """

    def __init__(self, parts: Application, seconds_left: Callable[[], float]) -> None:
        self._parts = parts
        self._seconds_left = seconds_left
        self._tenants = TenantCommands(parts, seconds_left)

    def run(self, command: str, event: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out ``command`` with the fields of ``event``, and return the answer.

        Raises:
            Refused: it cannot be carried out as given; nothing was changed.
        """
        commands: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "status": self._status,
            "start": self._start,
            "sweep": self._sweep,
            "pause": self._pause,
            "resume": self._resume,
            "cancel": self._cancel,
            "set-rate": self._set_rate,
            "judge": self._judge,
            "report": self._report,
            "config": self._config,
            "set-config": self._set_config,
            "failures": self._failures,
            "redrive": self._redrive,
            "discard": self._discard,
            "decrypt-item": self._decrypt_item,
            "actions": self._actions,
            "dry-run": self._dry_run,
            "branch-keys": self._tenants.listed,
            "make-branch-key": self._tenants.make,
            "rotate-branch-key": self._tenants.rotate,
            "look-at-tenant": self._tenants.look,
            "shred-tenant": self._tenants.shred,
        }
        if command not in commands:
            requests.refuse("command", f"one of {', '.join(commands)}")
        return commands[command](event)

    # Sweeps

    def _start(self, event: Mapping[str, Any]) -> dict[str, Any]:
        request = requests.start(event)
        if request.goal in (Goal.ENCRYPT, Goal.REENCRYPT) and not request.force:
            self._check_mapping()
        with self._saying_why_not_started(request):
            sweep = self._parts.starter.start(request)
        return {"sweep": self._shown(sweep)}

    @contextmanager
    def _saying_why_not_started(self, request: StartRequest) -> Iterator[None]:
        try:
            yield
        except Forbidden:
            enabled = "off" if request.goal is Goal.DECRYPT else "on"
            message = f"A sweep to {request.goal.value} needs encryption to be {enabled}."
            raise Refused("forbidden-by-setting", message) from None
        except SweepRunning:
            raise self._another_runs() from None

    def _check_mapping(self) -> None:
        """Refuse to migrate beside a mapping that is not enabled: what writers write meanwhile would stay behind."""
        state = self._parts.queries.mapping_state()
        if state not in (None, *ENABLED):
            message = f"The stream's event source mapping is {state}: enable it first."
            raise Refused("mapping-not-enabled", message)

    def _another_runs(self) -> Refused:
        """Return the refusal that names the sweep in the way: whoever reads it wants to see, or to end, that one."""
        other = self._parts.sweeps.running()
        if other is None:
            return Refused("conflict", "Another sweep ran, and has just ended: try again.")
        return Refused("conflict", f"Another sweep runs: {views.sweep_name(other)}.", sweep=other.id)

    def _sweep(self, event: Mapping[str, Any]) -> dict[str, Any]:
        sweep = self._named(event)
        segments = self._parts.sweeps.segments(sweep)
        now = self._parts.now()
        shown = views.sweep(sweep, segments, now)
        return {"sweep": {**shown, "segmentsDetail": [views.segment(segment, sweep, now) for segment in segments]}}

    def _pause(self, event: Mapping[str, Any]) -> dict[str, Any]:
        return self._moved(event, self._parts.starter.pause)

    def _resume(self, event: Mapping[str, Any]) -> dict[str, Any]:
        return self._moved(event if "sweep" in event else {"sweep": self._only_one().id}, self._parts.starter.resume)

    def _cancel(self, event: Mapping[str, Any]) -> dict[str, Any]:
        return self._moved(event, self._parts.starter.cancel)

    def _set_rate(self, event: Mapping[str, Any]) -> dict[str, Any]:
        rate = requests.new_rate(event)
        sweep = self._named(event)
        done = self._parts.sweeps.set_rate(sweep, rate)
        sweep = self._parts.sweeps.get(sweep.id) or sweep
        if not done:
            raise Refused("stopped", f"The sweep is {sweep.state.value}.")
        return {"sweep": self._shown(sweep)}

    def _moved(self, event: Mapping[str, Any], move: Callable[[Sweep], None]) -> dict[str, Any]:
        sweep = self._named(event)
        with self._saying_why_not_moved(sweep):
            move(sweep)
        return {"sweep": self._shown(self._parts.sweeps.get(sweep.id) or sweep)}

    @contextmanager
    def _saying_why_not_moved(self, sweep: Sweep) -> Iterator[None]:
        try:
            yield
        except WrongState:
            state = (self._parts.sweeps.get(sweep.id) or sweep).state.value
            raise Refused("stopped", f"The sweep is {state}.") from None
        except Forbidden:
            raise Refused("forbidden-by-setting", "The setting has changed since the sweep began.") from None
        except SweepRunning:
            raise self._another_runs() from None

    def _only_one(self) -> Sweep:
        """Return the sweep that bare ``resume`` means: the only paused one, or the only one that runs."""
        sweeps = self._parts.sweeps.newest()
        paused = [sweep for sweep in sweeps if sweep.state is State.PAUSED]
        found = paused or [sweep for sweep in sweeps if sweep.state is State.RUNNING]
        if not found:
            raise Refused("not-found", "No sweep is running or paused.")
        if len(found) > 1:
            state, names = found[0].state.value, ", ".join(map(views.sweep_name, found))
            raise Refused("ambiguous", f"More than one sweep is {state}; name one of {names}.")
        return found[0]

    def _named(self, event: Mapping[str, Any]) -> Sweep:
        sweep = self._parts.sweeps.get(requests.sweep_id(event))
        if sweep is None:
            raise Refused("not-found", "There is no such sweep.")
        return sweep

    def _shown(self, sweep: Sweep) -> dict[str, Any]:
        return views.sweep(sweep, self._parts.sweeps.segments(sweep), self._parts.now())

    # What a verification proves

    def _judge(self, event: Mapping[str, Any]) -> dict[str, Any]:
        verification, expected = self._verification(requests.sweep_id(event)), requests.may_be_absent(event)
        found = read_sweep(self._shown(verification))
        attributes, setting = self._parts.runtime.settings.attributes, self._parts.switch.read_now().as_json()
        changed = self._changed_since(verification, setting)
        judged = judge(found, wanted({"setting": setting, "attributes": attributes}, expected, changed))
        return {"judgement": summary(found, judged)}

    def _changed_since(self, verification: Sweep, setting: Mapping[str, Any]) -> list[str]:
        """Return what was changed after a verification began, beside the setting, a sentence each."""
        found = list(changes(verification.basis, self._parts.starter.basis))
        if setting["enabled"]:
            # Nobody may decrypt now; but deployments can turn encryption off and on again, all at version 0.
            found += (
                f"After the verification began, the sweep {sweep.id} was started, which decrypts. Verify again."
                for sweep in self._parts.sweeps.newest(LOOKED_AT)
                if sweep.goal is Goal.DECRYPT and sweep.started_at >= verification.started_at
            )
        return found

    def _report(self, event: Mapping[str, Any]) -> dict[str, Any]:
        request = requests.report(event)
        verification = self._newest_verification() if request.sweep is None else self._verification(request.sweep)
        if verification.state is State.RUNNING:
            raise Refused("conflict", f"The verification {verification.id} still runs.")
        status = self._status({})
        found = Findings(
            stack=self._parts.stack,
            region=status["tableArn"].split(":")[3],
            who=request.by,
            now=self._parts.now(),
            status=status,
            config=self._config({}),
            failures=self._failures({"max": reporting.MOST_FAILURES}),
            verification=read_sweep(self._shown(verification)),
            backups=request.backups,
            versions=request.versions or reporting.versions(),
            may_be_absent=request.may_be_absent,
            changed=self._changed_since(verification, status["setting"]),
        )
        return reporting.report(found, request)

    def _verification(self, sweep_id: str) -> Sweep:
        sweep = self._named({"sweep": sweep_id})
        if sweep.goal is not Goal.VERIFY:
            raise Refused("invalid-request", f"The sweep {sweep.id} is no verification: it is to {sweep.goal.value}.")
        return sweep

    def _newest_verification(self) -> Sweep:
        verifications = [sweep for sweep in self._parts.sweeps.newest(LOOKED_AT) if sweep.goal is Goal.VERIFY]
        # By when they ended: what was started in one second is listed in any order.
        ended = {sweep.finished_at: sweep for sweep in verifications if sweep.finished_at and sweep.state is State.DONE}
        if not ended:
            raise Refused("not-found", "There is no finished verification to report on: verify the table first.")
        return ended[max(ended)]

    # The whole, and the setting

    def _status(self, _: Mapping[str, Any]) -> dict[str, Any]:
        parts, queries, settings = self._parts, self._parts.queries, self._parts.runtime.settings
        remembered = RememberedAttributes(parts.runtime.clients.dynamodb, settings.switch.required_table()).since()
        return {
            **views.table(queries.described()),
            "setting": parts.switch.read_now().as_json(),
            "sweeps": [self._shown(sweep) for sweep in parts.sweeps.newest()],
            "failureQueue": {"messages": parts.failure.count(), "url": parts.failure.url},
            "workQueue": {"messages": parts.work.count()},
            "deferredQueue": {"messages": parts.deferred.count()},
            "mapping": {"state": queries.mapping_state()},
            "key": views.key(settings.key_arn, queries.key(), queries.rotation()),
            "earlierKeys": list(settings.earlier_key_arns),
            "tenantKeys": views.tenant_keys(settings.branch_keys),
            "attributes": list(settings.attributes),
            "attributesSince": {name: since.isoformat() for name, since in sorted(remembered.items())},
            "earlierAttributes": list(settings.earlier_attributes),
            "algorithm": parts.runtime.cipher.algorithm,
            "encoding": parts.runtime.settings.encoding.value,
            "contextAttributes": list(settings.context_attributes),
            "purpose": settings.purpose,
            "recovery": views.recovery(queries.recovery()),
        }

    def _config(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return views.config(self._parts.switch.read_now(), self._parts.switch.history())

    def _set_config(self, event: Mapping[str, Any]) -> dict[str, Any]:
        parts, change = self._parts, self._change(event)
        with _saying_what_conflicts():
            before = parts.switch.read_now()
            if before.version != change.version:
                raise VersionConflict(before)
            if narrows(before, change.enabled, change.part):
                requests.confirmed(change)
            setting = switch_and_sweep(parts.switch, parts.work, change.enabled, change.by, change.version, change.part)
        return {"setting": setting.as_json()}

    def _change(self, event: Mapping[str, Any]) -> ChangeRequest:
        change = requests.change(event)
        if isinstance(change.part, ListedKeys):
            requests.check_keys(change.part, self._parts.queries.key_types())
        return change

    def _actions(self, event: Mapping[str, Any]) -> dict[str, Any]:
        limit = requests.limit(event, default=50)
        return {"actions": [action.as_json() for action in self._parts.actions.newest(limit)]}

    # Dead letters

    def _failures(self, event: Mapping[str, Any]) -> dict[str, Any]:
        limit = requests.limit(event, default=50)
        messages = self._parts.failure.count()
        return {
            "failures": [views.letter(letter) for letter in self._parts.letters.peek(limit)],
            "messages": messages,
        }

    def _redrive(self, event: Mapping[str, Any]) -> dict[str, Any]:
        limit, within = requests.limit(event, default=100), requests.within(event)
        result = self._parts.letters.redrive(limit, _at_most(within, self._seconds_left))
        return {
            "done": result.done,
            "again": result.again,
            "sweep": result.sweep.id if result.sweep else None,
            "notes": result.notes,
            "remaining": self._parts.failure.count(),
        }

    def _discard(self, event: Mapping[str, Any]) -> dict[str, Any]:
        request = requests.discard(event)
        letter = self._parts.letters.discard(request.id)
        if letter is None:
            raise Refused("not-found", "There is no such message in the failure queue.")
        key = views.letter(letter)["key"]
        self._parts.runtime.telemetry.audit(
            request.by, "discard", None, "discarded", why=request.reason, letter=request.id, letterKey=key
        )
        return {"discarded": True}

    # Finding out what a command would do

    def _dry_run(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Say what a command would do.

        It has a name of its own: an older function, which knows no dry run, refuses it, and does not do the thing.
        """
        of, dry = requests.dry_run(event), DryRun(self._parts, self._seconds_left, self._parts.worker.sleep)
        match of:
            case "start":
                request = requests.start(event)
                if request.goal in (Goal.ENCRYPT, Goal.REENCRYPT) and not request.force:
                    self._check_mapping()
                cursor = None if event.get("cursor") is None else requests.item_key(event, "cursor")
                with self._saying_why_not_started(request):
                    try:
                        return dry.start(request, cursor).as_json()
                    except InvalidRequest:
                        requests.refuse("cursor", "the one of the answer before")
            case "set-config":
                with _saying_what_conflicts():
                    return dry.change(self._change(event))
            case "redrive":
                limit = requests.limit(event, default=100)
                return {"letters": dry.redrive(limit), "messages": self._parts.failure.count()}
            case "discard":
                letter = dry.discard(requests.discard(event).id)
                if letter is None:
                    raise Refused("not-found", "There is no such message in the failure queue.")
                return {"letter": views.letter(letter)}
            case "set-rate":
                rate, sweep = requests.new_rate(event), self._named(event)
                with self._saying_why_not_moved(sweep):
                    return {"sweep": self._shown(sweep), "rate": dry.set_rate(sweep, rate)}
        sweep = self._only_one() if of == "resume" and "sweep" not in event else self._named(event)
        with self._saying_why_not_moved(sweep):
            return {"sweep": self._shown(sweep), "becomes": dry.move(of, sweep)}

    # One item

    def _decrypt_item(self, event: Mapping[str, Any]) -> dict[str, Any]:
        runtime = self._parts.runtime
        key = requests.item_key(event)
        result = "failed"
        try:
            item = runtime.table.get(key)
            if item is None:
                result = "not-found"
                raise Refused("not-found", "There is no such item.")
            clear = ItemCipher(runtime.cipher, runtime.settings.policy).decrypt_item(item)
            result = "decrypted"
        except InvalidRequest as error:
            result = error.reason
            requests.refuse("key", "the whole key of an item of the table, in DynamoDB JSON")
        except PermanentError as error:
            result = error.reason
            raise Refused("undecryptable", "The item could not be decrypted.") from None
        finally:
            runtime.telemetry.audit(requests.by(event), "decrypt-item", key, result, runtime.settings.policy.attributes)
        return {"item": {name: to_json(value) for name, value in clear.items()}}


@contextmanager
def _saying_what_conflicts() -> Iterator[None]:
    try:
        yield
    except VersionConflict as conflict:
        message = f"The setting was changed meanwhile; it is at version {conflict.current.version}."
        raise Refused("conflict", message, version=conflict.current.version) from None


def _at_most(within: float | None, seconds_left: Callable[[], float]) -> Callable[[], float]:
    """Return what tells how much time remains, of the invocation and of ``within`` seconds from now."""
    if within is None:
        return seconds_left
    later = max(0.0, seconds_left() - within)
    return lambda: seconds_left() - later

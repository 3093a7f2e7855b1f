"""The evidence as one HTML page: no script, nothing loaded from elsewhere, every value escaped. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any, Final

from evidence.chart import Bar, bars
from evidence.counted import counted
from evidence.verdict import STATE_WORDS, Verdict
from item_crypto.core.part import in_words

_COLOURS: Final = {
    "plaintext": "#c62f2f",
    "mixed": "#dd6b20",
    "encrypted": "#2f855a",
    "oldForm": "#c99a1a",
    "conflicts": "#805ad5",
    "undecryptable": "#742a2a",
    "shredded": "#4a5568",
    "none": "#a0aec0",
}
_KEY_COLOURS: Final = ("#2f855a", "#c99a1a")  # The current key, and any other.

_VERDICTS: Final = {
    Verdict.VERIFIED.value: ("good", "All is as it should be: every value was decrypted."),
    Verdict.BY_HEADERS.value: ("part", "By the headers all is as it should be. No value was decrypted."),
}
_NOT = ("bad", "Not all is as it should be.")
_STYLE: Final = """
:root { color-scheme: light; --ink: #1a202c; --soft: #5a6675; --line: #e2e8f0; --paper: #fff; --ground: #f4f6f8; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 60rem; margin: 2rem auto; padding: 2.5rem 3rem; background: var(--paper);
  border: 1px solid var(--line); border-radius: 8px; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.05rem; margin: 2.25rem 0 .75rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line); }
p { margin: .4rem 0; } .soft { color: var(--soft); }
.verdict { margin: 1.5rem 0 0; padding: .9rem 1.1rem; border-radius: 6px; border-left: 5px solid; }
.verdict.good { background: #effaf3; border-color: #2f855a; }
.verdict.part { background: #fdf8e6; border-color: #c99a1a; }
.verdict.bad { background: #fdf1f0; border-color: #c62f2f; }
.verdict strong { font-size: 1.05rem; } .verdict ul { margin: .4rem 0 0; padding-left: 1.2rem; }
.numbers { display: grid; grid-template-columns: repeat(4, 1fr); gap: .75rem; margin: 1.25rem 0 0; padding: 0; }
.numbers div { border: 1px solid var(--line); border-radius: 6px; padding: .7rem .9rem; }
.numbers dt { color: var(--soft); font-size: .82rem; }
.numbers dd { margin: 0; font-size: 1.35rem; font-weight: 600; font-variant-numeric: tabular-nums; }
table { width: 100%; border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; }
thead th { color: var(--soft); font-size: .82rem; font-weight: 500; white-space: nowrap; }
tbody th { font-weight: 500; width: 13rem; overflow-wrap: normal; }
tr:last-child > * { border-bottom: 0; }
li { overflow-wrap: anywhere; }
code { font: .88em ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.figures td:first-child { min-width: 8.5rem; } .narrow { display: none; }
.figures th + th, .figures td + td { text-align: right; font-variant-numeric: tabular-nums; }
svg { display: block; width: 100%; height: auto; margin: .5rem 0; }
svg text { font-size: 13px; dominant-baseline: middle; fill: var(--ink); }
svg .number { font-variant-numeric: tabular-nums; } svg .zero { fill: #8794a3; }
svg .axis { stroke: #cbd5e0; stroke-width: 1; }
.tag { display: inline-block; white-space: nowrap; padding: 0 .5rem; border-radius: 1rem; font-size: .82rem;
  background: #edf2f7; }
.tag.good { background: #dff3e7; color: #22543d; } .tag.bad { background: #fbe0de; color: #8b1e1e; }
.tag.wait { background: #fdf3d3; color: #6b4e00; }
footer { margin-top: 2.25rem; padding-top: .9rem; border-top: 1px solid var(--line); font-size: .85rem; }
@media (max-width: 640px) { main { margin: 0; padding: 1.25rem; border: 0; }
  .numbers { grid-template-columns: 1fr 1fr; }
  tbody th { width: auto; min-width: 6.5rem; } thead th { white-space: normal; overflow-wrap: normal; }
  .wide { display: none; } .narrow { display: table; }
  .copies thead { display: none; }
  .copies tr { display: block; padding: .5rem 0; border-bottom: 1px solid var(--line); }
  .copies td { display: block; padding: .1rem 0; border: 0; } .copies td:first-child { font-weight: 600; } }
@media print { body { background: #fff; } main { border: 0; margin: 0; padding: 0; max-width: none; }
  section { break-inside: avoid; } * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""


def page(evidence: Mapping[str, Any], json_name: str, json_sha256: str) -> str:
    """Return the page for an evidence document.

    Args:
        evidence: as `evidence.report.evidence` makes it.
        json_name: the file that holds the same as JSON.
        json_sha256: that file's SHA-256, in hexadecimal.
    """
    table = evidence["table"]["name"]
    body = "".join(
        [
            _head(evidence),
            _section("What is in the table", _states(evidence)),
            _section("Until when earlier plaintext can be restored", _earlier_plaintext(evidence)),
            _section("Table and encryption", _encryption(evidence)),
            _section("Key", _key(evidence)),
            _section("Setting", _setting(evidence)),
            _section("Open failures", _failures(evidence["failures"])),
            _section("How this was found", _method(evidence)),
            _section("What this does not say", _list(evidence["limits"])),
        ]
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Encryption evidence: {_e(table)}</title><style>{_STYLE}</style></head><body><main>{body}"
        f'<footer class="soft">The same as JSON: <code>{_e(json_name)}</code>, SHA-256 <code>{_e(json_sha256)}</code>'
        "</footer></main></body></html>\n"
    )


def _head(evidence: Mapping[str, Any]) -> str:
    verification, states = evidence["verification"], evidence["verification"]["byState"]
    kind, title = _VERDICTS.get(evidence["verdict"], _NOT)
    numbers = [
        ("items looked at", verification["items"]),
        ("values decrypted", verification["values"]["decrypted"]),
        ("with plaintext", states["plaintext"] + states["mixed"]),
        ("open failures", evidence["failures"]["messages"]),
    ]
    tiles = "".join(f"<div><dt>{_e(name)}</dt><dd>{number:,}</dd></div>" for name, number in numbers)
    return (
        f"<header><h1>Encryption evidence for <code>{_e(evidence['table']['name'])}</code></h1>"
        f'<p class="soft">{_time(evidence["generatedAt"])} · stack {_e(evidence["stack"]["name"])} · '
        f"{_e(evidence['stack']['region'])} · by {_e(evidence['generatedBy'])}</p>"
        f'<div class="verdict {kind}"><strong>{title}</strong>{_list(evidence["findings"])}</div>'
        f'<dl class="numbers">{tiles}</dl></header>'
    )


def _states(evidence: Mapping[str, Any]) -> str:
    verification = evidence["verification"]
    rows = [Bar(words, verification["byState"][state], _COLOURS[state]) for state, words in STATE_WORDS.items()]
    chart = _chart("Items by state", "items", rows, verification["items"])
    attributes = ", ".join(f"<code>{_e(name)}</code>" for name in evidence["table"]["encryptedAttributes"])
    lead = f'<p class="soft">Items by state of their attributes {attributes}.</p>'
    by_attribute, strays = _by_attribute(verification["byAttribute"]), _not_listed(verification["notListed"])
    return lead + chart + _outside(verification) + by_attribute + strays


def _outside(verification: Mapping[str, Any]) -> str:
    if not verification["part"]:
        return ""
    rows = [(_e(STATE_WORDS[state]), f"{number:,}") for state, number in verification["outsideByState"].items()]
    lead = f"<p>Encryption is on for a part: {_e(verification['part'])}. Of these items, outside of it are:</p>"
    return lead + _table(("outside of the part", ""), rows, "figures")


def _chart(title: str, what: str, rows: Sequence[Bar], total: int) -> str:
    """Return a chart, and the same as figures where there is no room to read one."""
    figures = [(_e(row.name), f"{row.number:,}") for row in rows]
    return f'<div class="wide">{bars(title, rows, total)}</div>' + _table((what, ""), figures, "figures narrow")


def _by_attribute(attributes: Mapping[str, Mapping[str, int]]) -> str:
    if not attributes:
        return ""
    rows = [
        (f"<code>{_e(name)}</code>", *(f"{places.get(place, 0):,}" for place in ("plaintext", "encrypted", "absent")))
        for name, places in attributes.items()
    ]
    return _table(("attribute", "in plaintext", "encrypted", "absent"), rows, "figures")


def _not_listed(strays: Mapping[str, int]) -> str:
    if not strays:
        return ""
    lead = '<p class="soft">Ciphertext that no listed attribute is behind:</p>'
    return lead + _table(("name", "items"), [(f"<code>{_e(name)}</code>", f"{n:,}") for name, n in strays.items()])


def _encryption(evidence: Mapping[str, Any]) -> str:
    table, encryption = evidence["table"], evidence["encryption"]
    context = [*encryption["contextAttributes"], f"purpose = {encryption['purpose']}"]
    earlier = ", ".join(f"<code>{_e(name)}</code>" for name in table["earlierAttributes"]) or "none"
    return _facts(
        [
            ("table", f"<code>{_e(table['arn'])}</code>"),
            ("account", _e(table["account"])),
            ("attributes", ", ".join(f"<code>{_e(name)}</code>" for name in table["encryptedAttributes"])),
            ("no longer encrypted", earlier),
            ("algorithm", f"<code>{_e(encryption['algorithm'])}</code>"),
            ("stored as", _encodings(evidence)),
            ("bound to", ", ".join(f"<code>{_e(part)}</code>" for part in context)),
            ("stream", _e(table["streamViewType"] or "view type unknown")),
        ]
    )


def _encodings(evidence: Mapping[str, Any]) -> str:
    seen = evidence["verification"]["byEncoding"]
    found = ", ".join(f"{counted(number, 'value')} as {_e(name)}" for name, number in seen.items() if number)
    return f"{_e(evidence['encryption']['encoding'] or 'unknown')}{f'; found: {found}' if found else ''}"


def _key(evidence: Mapping[str, Any]) -> str:
    key = evidence["key"]
    rotation = _tag("on", "good") if key.get("rotationEnabled") else _tag("off or unknown", "bad")
    if key.get("rotationEnabled") and key.get("rotationPeriodInDays"):
        rotation += f" every {counted(int(key['rotationPeriodInDays']), 'day')}"
    if key.get("nextRotationDate"):
        rotation += f", next {_time(key['nextRotationDate'])}"
    state = key.get("state") or "unknown"
    rows = [
        ("key", f"<code>{_e(key.get('arn'))}</code>"),
        ("state", _tag(state, "good" if state == "Enabled" else "bad")),
        ("rotation", rotation),
        *(("earlier key", f"<code>{_e(arn)}</code>") for arn in evidence["earlierKeys"]),
    ]
    by_key = evidence["verification"]["byKey"]
    names = [key.get("arn"), *(arn for arn in by_key if arn != key.get("arn"))]
    shown = [Bar(str(arn), by_key.get(arn, 0), _KEY_COLOURS[arn != key.get("arn")]) for arn in names if arn]
    chart = _chart("Items by key", "key", shown, evidence["verification"]["items"]) if by_key else ""
    return _facts(rows) + (f'<p class="soft">Items under each key:</p>{chart}' if chart else "")


def _earlier_plaintext(evidence: Mapping[str, Any]) -> str:
    earlier, now = evidence["earlierPlaintext"], evidence["generatedAt"]
    if earlier["encryptedBy"]:
        lead = f"What writers had left in plaintext was encrypted by {_time(earlier['encryptedBy'])}"
        lead = f'<p>{lead} <span class="soft">({_e(earlier["basis"])})</span>.</p>'
        everywhere = earlier["goneEverywhereBy"]
        end = f"by <strong>{_time(everywhere)}</strong>" if everywhere else "on no date that is known"
        lead += f"<p>The last copy listed here ceases to hold it {end}.</p>"
    else:
        lead = f"<p>{_e(earlier['basis'])} No date can be given.</p>"
    rows = [
        (_e(place["name"]), _until(place, now), f'<span class="soft">{_e(place["note"])}</span>')
        for place in earlier["copies"]
    ]
    return lead + _table(("copy", "earlier plaintext in it", ""), rows, "copies")


def _until(place: Mapping[str, Any], now: str) -> str:
    if not place["mayHold"]:
        return _tag("none", "good")
    if place["until"] is None:
        return _tag("no date", "bad")
    days = (datetime.fromisoformat(place["until"]) - datetime.fromisoformat(now)).total_seconds() / 86_400
    if days <= 0:
        return f"{_tag('over', 'good')} since {_time(place['until'])}"
    return f"{_tag('until', 'wait')} {_time(place['until'])}"


def _setting(evidence: Mapping[str, Any]) -> str:
    setting = evidence["setting"] or {}
    kind = "bad" if not setting.get("enabled") else "good" if setting.get("part") is None else "wait"
    now = _tag(_state(setting), kind)
    history = [
        (_e(entry.get("version")), _e(_state(entry)), _time(entry.get("changedAt")),
         _e(entry.get("changedBy")))
        for entry in evidence["settingHistory"]
    ]  # fmt: skip
    lead = f"<p>Encryption is {now}, at version {_e(setting.get('version'))}.</p>"
    if not history:
        return f'{lead}<p class="soft">It was never changed since it was deployed.</p>'
    return lead + _table(("version", "encryption", "changed", "by"), history)


def _state(setting: Mapping[str, Any]) -> str:
    if not setting.get("enabled"):
        return "off"
    return "on" if setting.get("part") is None else f"on for {in_words(setting['part'])} only"


def _failures(failures: Mapping[str, Any]) -> str:
    if not failures["messages"]:
        return '<p class="soft">None.</p>'
    rows = [
        (f"<code>{_e(entry['id'])}</code>", _e(entry["kind"]), _e(entry["reason"]), _time(entry["time"]),
         _e(entry["attempts"]))
        for entry in failures["listed"]
    ]  # fmt: skip
    more = failures["messages"] - len(rows)
    rest = f'<p class="soft">and {more:,} more.</p>' if more > 0 else ""
    return _table(("id", "kind", "reason", "time", "tries"), rows) + rest


def _method(evidence: Mapping[str, Any]) -> str:
    verification = evidence["verification"]
    versions = ", ".join(f"{name} {version}" for name, version in evidence["versions"].items())
    return _facts(
        [
            ("verification", f"<code>{_e(verification['sweep'])}</code> by {_e(verification['startedBy'])}"),
            ("from, to", f"{_time(verification['startedAt'])} to {_time(verification['finishedAt'])}"),
            ("method", f"Each item was read consistently; {_e(verification['method'])}."),
            ("stream mapping", _e(evidence["table"]["streamMapping"])),
            ("versions", _e(versions)),
        ]
    )


def _section(title: str, content: str) -> str:
    return f"<section><h2>{_e(title)}</h2>{content}</section>"


def _facts(rows: Iterable[tuple[str, str]]) -> str:
    lines = "".join(f'<tr><th scope="row">{_e(name)}</th><td>{value}</td></tr>' for name, value in rows)
    return f"<table><tbody>{lines}</tbody></table>"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], kind: str = "") -> str:
    head = "".join(f'<th scope="col">{_e(name)}</th>' for name in heads)
    lines = "".join("<tr>" + "".join(f"<td>{value}</td>" for value in row) + "</tr>" for row in rows)
    opening = f'<table class="{kind}">' if kind else "<table>"
    return f"{opening}<thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"


def _list(entries: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{_e(entry)}</li>' for entry in entries)}</ul>" if entries else ""


def _tag(text: str, kind: str) -> str:
    return f'<span class="tag {kind}">{_e(text)}</span>'


def _time(text: Any) -> str:
    """Return a time for people; what is none is shown as it is."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return _e(text)
    shown = f"{moment:%Y-%m-%d %H:%M}" if moment.time() != moment.min.time() else f"{moment:%Y-%m-%d}"
    zone = " UTC" if moment.tzinfo is not None and not moment.utcoffset() else ""
    return f'<time datetime="{_e(text)}">{_e(shown + (zone if ":" in shown else ""))}</time>'


def _e(value: Any) -> str:
    return escape("–" if value is None else str(value))

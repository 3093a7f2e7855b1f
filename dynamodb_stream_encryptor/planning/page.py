"""A plan as one HTML page: no script, nothing loaded from elsewhere, every value escaped. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final

from dynamodb_stream_encryptor.planning.words import (
    STATE_WORDS,
    attribute_row,
    callers_text,
    cost_lead,
    cost_rows,
    encodings_text,
    growth_rows,
    looked_text,
    operations_text,
    prices_text,
    suggestion_text,
    table_facts,
    verdict_text,
)

Plan = Mapping[str, Any]

_COSTS: Final = {"once": "once", "month": "a month"}

# The colours are those of the other pages: web/palette.css.
_STYLE: Final = """
:root { color-scheme: light dark; --ground: light-dark(#f4f5f8, #0e1117); --paper: light-dark(#fff, #161b24);
  --sunken: light-dark(#f0f2f6, #10151d); --line: light-dark(#e1e5ec, #2a3240); --ink: light-dark(#161b26, #e8ebf1);
  --soft: light-dark(#566072, #9ba6b8); --accent: light-dark(#4353c9, #98a3ff);
  --good: light-dark(#0b6b4f, #54d3a3); --good-wash: light-dark(#e3f5ee, #11312a);
  --warn: light-dark(#8a5300, #f2b84b); --warn-wash: light-dark(#fdf2dc, #362a12);
  --bad: light-dark(#b3261e, #ff8f85); --bad-wash: light-dark(#fdecea, #3b1a1a); }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 62rem; margin: 2rem auto; padding: 2.5rem 3rem; background: var(--paper);
  border: 1px solid var(--line); border-radius: 8px; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 2.25rem 0 .75rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line); }
h3 { font-size: .95rem; margin: 1.25rem 0 .35rem; }
p { margin: .4rem 0; } .soft { color: var(--soft); } ul { margin: .4rem 0; padding-left: 1.2rem; }
li { margin: .25rem 0; overflow-wrap: anywhere; }
.verdict { margin: 1.5rem 0 0; padding: .9rem 1.1rem; border-radius: 6px; border-left: 5px solid; }
.verdict.good { background: var(--good-wash); border-color: var(--good); }
.verdict.bad { background: var(--bad-wash); border-color: var(--bad); }
.know { margin: .75rem 0 0; padding: .7rem 1.1rem; border-radius: 6px; background: var(--warn-wash); }
.numbers { display: grid; grid-template-columns: repeat(5, 1fr); gap: .75rem; margin: 1.25rem 0 0; padding: 0; }
.numbers div { border: 1px solid var(--line); border-radius: 6px; padding: .7rem .9rem; min-width: 0; }
.numbers dt { color: var(--soft); font-size: .82rem; }
.numbers dd { margin: 0; font-size: 1.15rem; font-weight: 600; font-variant-numeric: tabular-nums; }
table { width: 100%; border-collapse: collapse; } table + table { margin-top: 1.25rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; }
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--soft); font-size: .82rem; font-weight: 500; overflow-wrap: normal; }
.facts th { font-weight: 500; width: 11rem; overflow-wrap: normal; }
.figures th + th, .figures td + td { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.figures thead .word, .figures td.word { text-align: left; padding-left: .75rem; white-space: normal; }
.total td { font-weight: 600; } tr:last-child > * { border-bottom: 0; }
code, pre { font: .88em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
pre { margin: .5rem 0; padding: .8rem 1rem; background: var(--sunken); border: 1px solid var(--line);
  border-radius: 6px; white-space: pre-wrap; }
.bars { display: grid; grid-template-columns: max-content 1fr max-content; gap: .3rem .75rem; align-items: center; }
.bars i { display: block; height: .8rem; background: var(--accent); border-radius: 2px; }
.bars b { font-weight: 400; text-align: right; font-variant-numeric: tabular-nums; }
footer { margin-top: 2.25rem; padding-top: .9rem; border-top: 1px solid var(--line); font-size: .85rem; }
@media (max-width: 640px) { main { margin: 0; padding: 1.25rem; border: 0; border-radius: 0; }
  .numbers { grid-template-columns: 1fr 1fr; }
  .numbers div:first-child { grid-column: 1 / -1; } .facts th { width: 7rem; }
  .figures thead { display: none; }
  .figures tr { display: block; padding: .5rem 0; border-bottom: 1px solid var(--line); }
  .figures tr:last-child { border-bottom: 0; }
  .figures td, .figures td + td { display: flex; justify-content: space-between; gap: 1rem; padding: .1rem 0; border: 0;
    text-align: right; white-space: normal; }
  .figures td.word { padding-left: 0; }
  .figures td:first-child { font-weight: 600; } .figures td:empty { display: none; }
  .figures td + td::before { content: attr(data-name); color: var(--soft); text-align: left; } }
@media print { body { background: #fff; } main { border: 0; margin: 0; padding: 0; max-width: none; }
  section { break-inside: avoid; } * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""


def page(plan: Plan) -> str:
    """Return the page for a plan, as `planning.document.document` makes it."""
    table = plan["table"]["name"]
    sections = [_head(plan), _section("The table", _facts(table_facts(plan)))]
    sections.append(_section("What is in it", _contents(plan)))
    if "growth" in plan:
        sections.append(_section("What encryption makes of it", _growth(plan)))
        sections.append(_section("What it costs", _cost(plan)))
    sections.append(_section("Who would break", _callers(plan)))
    if "suggestion" in plan:
        sections.append(_section("What to run next", _suggestion(plan)))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Plan for {_e(table)}</title><style>{_STYLE}</style></head><body><main>{''.join(sections)}"
        f'<footer class="soft">Made by <code>stream-encryptor plan</code>, {_e(plan["generatedAt"])}. It read the '
        "table, changed nothing and used no key.</footer></main></body></html>\n"
    )


def _head(plan: Plan) -> str:
    kind = "bad" if plan["inTheWay"] else "good"
    know = f'<div class="know"><strong>To know</strong>{_messages(plan["toKnow"])}</div>' if plan["toKnow"] else ""
    return (
        f"<header><h1>Plan for <code>{_e(plan['table']['name'])}</code></h1>"
        f'<p class="soft">{_e(plan["table"]["region"])} · {_e(plan["generatedAt"])} · {_e(looked_text(plan))}</p>'
        f'<div class="verdict {kind}"><strong>{_e(verdict_text(plan))}</strong>{_messages(plan["inTheWay"])}</div>'
        f"{know}{_tiles(plan)}</header>"
    )


def _tiles(plan: Plan) -> str:
    tiles = [("items", f"{plan['table']['items']:,}"), ("looked at", f"{plan['looked']['items']:,}")]
    if "growth" in plan:
        cost, growth = plan["cost"], plan["growth"]
        ratio = f"{100 * growth['ratio']:,.0f} %" if growth["ratio"] is not None else "–"
        tiles.append(("bytes, once encrypted", ratio))
        tiles += [(title, list(cost_rows(cost, key))[-1][-1]) for key, title in _COSTS.items()]
    content = "".join(f"<div><dt>{_e(name)}</dt><dd>{_e(value)}</dd></div>" for name, value in tiles)
    return f'<dl class="numbers">{content}</dl>'


def _messages(findings: Sequence[Mapping[str, Any]]) -> str:
    return _list([finding["message"] for finding in findings])


def _contents(plan: Plan) -> str:
    rows = [attribute_row(plan, attribute) for attribute in plan["attributes"]]
    if not rows:
        return '<p class="soft">No items.</p>'
    heads = ("attribute", "items", "type", "median", "99 %", "largest", "of all bytes")
    star = '<p class="soft">* to be encrypted</p>' if plan["choice"]["attributes"] else ""
    return _table(heads, rows, words=("type",)) + star + "<h3>Sizes of items</h3>" + _bars(plan["items"]["bands"])


def _growth(plan: Plan) -> str:
    growth, states = plan["growth"], plan["states"]
    content = _bars([{"name": words, "count": states[name]} for name, words in STATE_WORDS.items()])
    if not growth["before"]["count"]:
        return content
    heads = ("once encrypted", "items", "before", "after", "mean before", "mean after", "largest after")
    content += "<h3>Attributes and items</h3>" + _table(heads, list(growth_rows(plan)))
    content += f"<p>{_e(encodings_text(plan))}</p>"
    sizes = "<h3>Sizes of items once encrypted</h3>" + _bars(growth["after"]["bands"])
    ratios = [{"name": one["name"], "count": one["items"]} for one in growth["ratios"]]
    return content + sizes + "<h3>How items grow or shrink</h3>" + _bars(ratios)


def _cost(plan: Plan) -> str:
    cost = plan["cost"]
    content = f"<p>{_e(cost_lead(plan))}</p><p>{_e(prices_text(plan))}</p>"
    for key, title in _COSTS.items():
        heads = ("what", "read units", "write units", "KMS calls", "Lambda GB-s", "GB-months", "cost")
        content += f"<h3>{title.capitalize()}</h3>" + _table(heads, list(cost_rows(cost, key)), total=True)
    return content + f'<h3>What the figures rest on</h3><div class="soft">{_list(cost["assumptions"])}</div>'


def _callers(plan: Plan) -> str:
    callers = plan["callers"]
    if callers is None:
        lead = "No CloudTrail data events were given, so ask of each writer and reader:"
        return f"<p>{lead}</p>{_list(plan['checklist'])}"
    content = f"<p>{_e(callers_text(callers))}</p>"
    for caller in callers["callers"]:
        who = f"<h3><code>{_e(caller['principal'])}</code></h3>"
        content += f'{who}<p class="soft">{_e(caller["client"])}: {_e(operations_text(caller))}</p>'
        content += _list(caller["breaks"])
    return content


def _suggestion(plan: Plan) -> str:
    commands = "".join(f"<pre>{_e(command)}</pre>" for command in plan["suggestion"]["commands"])
    return f"<p>{_e(suggestion_text(plan))}</p>{commands}"


def _section(title: str, content: str) -> str:
    return f"<section><h2>{_e(title)}</h2>{content}</section>"


def _facts(rows: Iterable[tuple[str, str]]) -> str:
    lines = "".join(f'<tr><th scope="row">{_e(name)}</th><td>{_e(value)}</td></tr>' for name, value in rows)
    return f'<table class="facts"><tbody>{lines}</tbody></table>'


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], words: Sequence[str] = (), total: bool = False) -> str:
    head = "".join(f'<th scope="col"{_word(name, words)}>{_e(name)}</th>' for name in heads)
    lines = "".join(
        ('<tr class="total">' if total and row is rows[-1] else "<tr>")
        + "".join(
            f'<td data-name="{_e(name)}"{_word(name, words)}>{_e(value)}</td>'
            for name, value in zip(heads, row, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    return f'<table class="figures"><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>'


def _word(name: str, words: Sequence[str]) -> str:
    return ' class="word"' if name in words else ""


def _bars(bars: Sequence[Mapping[str, Any]]) -> str:
    most = max((bar["count"] for bar in bars), default=0) or 1
    rows = "".join(
        f'<span>{_e(bar["name"])}</span><i style="width: {100 * bar["count"] / most:.1f}%"></i><b>{bar["count"]:,}</b>'
        for bar in bars
    )
    return f'<div class="bars">{rows}</div>'


def _list(entries: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{_e(entry)}</li>' for entry in entries)}</ul>" if entries else ""


def _e(value: Any) -> str:
    return escape("–" if value is None else str(value))

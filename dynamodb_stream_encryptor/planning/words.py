"""A plan in words and tables, for a terminal and for a log."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rich.table import Table

from dynamodb_stream_encryptor.counted import counted
from dynamodb_stream_encryptor.output import Output, cell, facts
from dynamodb_stream_encryptor.planning.figures import bytes_text, money, number, range_text, share, yes_no
from dynamodb_stream_encryptor.progress import duration

Plan = Mapping[str, Any]

_ATTRIBUTES: Final = 20  # Attributes that are listed.
_CALLERS: Final = 20
_FIRST: Final = 18  # Columns for what a row is about: no part of the costs is called longer.


def show(output: Output, plan: Plan) -> None:
    """Print a plan."""
    _table(output, plan)
    _attributes(output, plan)
    if "growth" in plan:
        _growth(output, plan)
        _cost(output, plan)
    _callers(output, plan)
    _findings(output, plan)
    if "suggestion" in plan:
        _suggestion(output, plan)
    _verdict(output, plan)


def table_facts(plan: Plan) -> list[tuple[str, str]]:
    """Return what a table is, as names and values."""
    table, stream = plan["table"], plan["table"]["stream"]
    indexes = "; ".join(
        f"{index['name']} by {', '.join(index['keys'])} ({_projection(index)}{', local' if index['local'] else ''})"
        for index in table["indexes"]
    )
    return [
        ("table", f"{table['name']} in {table['region']}"),
        ("keys", ", ".join(f"{key['name']} ({key['type']})" for key in table["keys"])),
        ("indexes", indexes or "none"),
        ("size", f"{counted(table['items'], 'item')}, {bytes_text(table['bytes'])}, as of up to six hours ago"),
        ("capacity", _capacity(table)),
        ("traffic", _traffic(plan["traffic"])),
        ("stream", f"{stream['view']}{_consumers(stream)}" if stream else "none"),
        ("time to live", table["timeToLive"] or "none"),
        ("replicas", ", ".join(table["replicas"]) or "none"),
        ("point in time", yes_no(table["recovery"], f"on, {counted(table['recoveryDays'] or 35, 'day')}")),
        ("backups, exports", f"{_count(table['backups'])}, {_count(table['exports'])}"),
        ("Kinesis streams", _count(table["kinesisStreams"])),
        ("kept under", table["ownKey"] or "a key of AWS's"),
        *([("not seen", "; ".join(table["unseen"]))] if table["unseen"] else []),
    ]


def _projection(index: Mapping[str, Any]) -> str:
    return {"ALL": "all attributes", "KEYS_ONLY": "keys only"}.get(
        index["projection"], f"and {', '.join(index['included'])}"
    )


def _capacity(table: Mapping[str, Any]) -> str:
    infrequent = ", infrequent access" if table["class"] != "STANDARD" else ""
    if table["mode"] == "on-demand":
        return f"on demand{infrequent}"
    return f"provisioned: {table['readCapacity']:,} read and {table['writeCapacity']:,} write units{infrequent}"


def _traffic(traffic: Mapping[str, Any]) -> str:
    if not traffic["known"]:
        return f"not known: {traffic['why']}"
    return (
        f"{traffic['monthlyWriteUnits']:,} write and {traffic['monthlyReadUnits']:,} read units a month; busiest hour "
        f"{traffic['peakWriteUnitsASecond']:,.1f} and {traffic['peakReadUnitsASecond']:,.1f} a second"
    )


def _consumers(stream: Mapping[str, Any]) -> str:
    return f", read by {', '.join(stream['consumers'])}" if stream["consumers"] else ""


def _count(found: int | None) -> str:
    return "not known" if found is None else f"{found:,}"


def looked_text(plan: Plan) -> str:
    """Return how the table was looked at, in a sentence."""
    looked = plan["looked"]
    part = "all" if looked["full"] else "a sample of"
    units = f"{looked['readUnits']:,.1f} read units"
    return f"Looked at {part} {number(looked['items'], 'item')} in {duration(looked['seconds'])}, for {units}."


def _table(output: Output, plan: Plan) -> None:
    output.table(facts(table_facts(plan)))
    output.line()
    output.line(looked_text(plan))


def _attributes(output: Output, plan: Plan) -> None:
    listed = plan["attributes"][:_ATTRIBUTES]
    if not listed:
        return
    table = _columns("attribute", "items", "type", "size: median", "99 %", "largest", "of all bytes")
    for attribute in listed:
        table.add_row(*map(cell, attribute_row(plan, attribute)))
    output.line()
    output.table(table)
    if more := len(plan["attributes"]) - len(listed) + bool(plan["furtherAttributes"]):
        output.line(f"and {more:,} more or further names.")


def attribute_row(plan: Plan, attribute: Mapping[str, Any]) -> list[str]:
    """Return an attribute's row: its name, items, types, sizes, part of all bytes."""
    sizes = attribute["sizes"]
    mark = " *" if attribute["name"] in plan["choice"]["attributes"] else ""
    return [
        f"{attribute['name']}{mark}",
        f"{attribute['items']:,}",
        types_text(attribute["types"]),
        bytes_text(sizes["p50"]),
        bytes_text(sizes["p99"]),
        bytes_text(sizes["max"]),
        share(sizes["total"], plan["items"]["total"]),
    ]


def types_text(types: Mapping[str, int]) -> str:
    """Return types for people; with how many each, where there is more than one."""
    if len(types) == 1:
        return next(iter(types))
    return ", ".join(f"{name} {count:,}" for name, count in types.items())


def _growth(output: Output, plan: Plan) -> None:
    growth, states = plan["growth"], plan["states"]
    output.line()
    output.table(_numbers([(states[name], words) for name, words in STATE_WORDS.items()]))
    if growth["before"]["count"]:
        table = _columns("once encrypted", "items", "before", "after", "mean before", "mean after", "largest after")
        for row in growth_rows(plan):
            table.add_row(*map(cell, row))
        output.line()
        output.table(table)
        output.line(encodings_text(plan))


STATE_WORDS: Final = {
    "toEncrypt": "to encrypt",
    "encrypted": "encrypted already",
    "deferred": "in an older encrypted form",
    "nothing": "without anything to encrypt",
    "failing": "that cannot be encrypted",
}
"""What becomes of items, in words."""


def growth_rows(plan: Plan) -> Iterator[list[str]]:
    """Yield rows on how attributes and items grow."""
    growth = plan["growth"]
    parts = [*growth["attributes"], {"name": "the whole item", "before": growth["before"], "after": growth["after"]}]
    for part in parts:
        before, after = part["before"], part["after"]
        yield [
            part["name"],
            f"{before['count']:,}",
            bytes_text(before["total"]),
            f"{bytes_text(after['total'])} ({share(after['total'], before['total'])})",
            bytes_text(before["mean"]),
            bytes_text(after["mean"]),
            bytes_text(after["max"]),
        ]


def encodings_text(plan: Plan) -> str:
    """Return what the other encoding of ciphertexts would come to, in a sentence."""
    chosen = plan["choice"]["encoding"]
    own, other = sorted(plan["growth"]["encodings"], key=lambda one: one["name"] != chosen)
    return (
        f"Ciphertexts are stored as {own['name']}. As {other['name']} (--encoding {other['name']}) these items would "
        f"take {bytes_text(other['after']['total'])}, and writes of {other['writeUnits']:,.1f} units in the place of "
        f"{own['writeUnits']:,.1f}."
    )


def _cost(output: Output, plan: Plan) -> None:
    cost = plan["cost"]
    output.line()
    output.line(cost_lead(plan))
    output.line(prices_text(plan))
    for title, key in (("once", "once"), ("a month", "month")):
        table = _columns(title, "read units", "write units", "KMS calls", "Lambda GB-s", "GB-months", "cost")
        for row in cost_rows(cost, key):
            table.add_row(*map(cell, row))
        output.line()
        output.table(table)


def cost_lead(plan: Plan) -> str:
    """Return what the figures of cost are of, in sentences."""
    cost = plan["cost"]
    per = cost["perItem"]
    indexes = f" and {per['indexWriteUnits']:,.1f} in indexes" if per["indexWriteUnits"] else ""
    replicas = f", in {per['replicas'] + 1} Regions" if per["replicas"] else ""
    writes = (
        f"{number(cost['monthlyWrites'], 'plaintext write')} a month ({cost['monthlyWritesBasis']})"
        if cost["monthlyWrites"] or cost["monthlyWritesBasis"] != "not known: give --monthly-writes"
        else "Writes a month are not known, and counted as none: give --monthly-writes"
    )
    return (
        f"For {number(cost['items'], 'item')}, {cost['toEncrypt']:,} of them to encrypt, each with a write of "
        f"{per['writeUnits']:,.1f} units{indexes}{replicas}. {writes}."
    )


def prices_text(plan: Plan) -> str:
    """Return where the prices are from, in a sentence."""
    prices = plan["cost"]["prices"]
    if prices is None:
        return f"No list prices of {plan['table']['region']} are at hand: give yours with --prices FILE."
    return (
        f"List prices of {prices['region']} as of {prices['asOf']}, without discounts and taxes: check yours "
        f"({prices['source']}; {prices['file']})."
    )


def cost_rows(cost: Mapping[str, Any], key: str) -> Iterator[list[str]]:
    """Yield the rows of a part of the costs, their total last."""
    for use in (*cost[key]["parts"], cost[key]["total"]):
        yield [
            use["what"],
            _amount(use["readUnits"]),
            _amount(use["writeUnits"]),
            _amount(use["kmsRequests"]),
            _amount(use["lambdaGigabyteSeconds"]),
            "" if not use["gigabyteMonths"] else f"{use['gigabyteMonths']:+,.2f}",
            money(use["amount"], cost["currency"]),
        ]


def _amount(value: float) -> str:
    return f"{value:,.0f}" if value >= 0.5 else ""


def _callers(output: Output, plan: Plan) -> None:
    output.line()
    callers = plan["callers"]
    if callers is None:
        output.line(
            "Who would break? No CloudTrail data events were given (--cloudtrail); ask of each writer and reader:"
        )
        for question in plan["checklist"]:
            output.line(f"- {question}")
        return
    output.line(callers_text(callers))
    for caller in callers["callers"][:_CALLERS]:
        output.line(f"- {caller['principal']}, {caller['client']}: {operations_text(caller)}")
        for sentence in caller["breaks"]:
            output.line(f"    {sentence}", style="yellow")
    if (more := len(callers["callers"]) - _CALLERS) > 0:
        output.line(f"and {number(more, 'more caller')}: see --json.")


def callers_text(callers: Mapping[str, Any]) -> str:
    """Return how many events and callers there are."""
    return (
        f"CloudTrail has {number(callers['events'], 'event')} of the table, by "
        f"{number(len(callers['callers']), 'caller')}."
    )


def operations_text(caller: Mapping[str, Any]) -> str:
    """Return what a caller does, from first to last."""
    counts = ", ".join(f"{name} {count:,}" for name, count in caller["operations"].items())
    return f"{counts} ({range_text(caller['first'], caller['last'])})"


def _findings(output: Output, plan: Plan) -> None:
    for title, key, style in (("In the way:", "inTheWay", "red"), ("To know:", "toKnow", "yellow")):
        if not plan[key]:
            continue
        output.line()
        output.line(title)
        for finding in plan[key]:
            output.line(f"- {finding['message']}", style=style)
            for example in finding.get("examples", ()):
                output.line(f"    {key_text(example)}")


def key_text(key: Mapping[str, Any]) -> str:
    """Return an item's key for people."""
    return ", ".join(f"{name}={next(iter(value.values()))}" for name, value in key.items())


def _suggestion(output: Output, plan: Plan) -> None:
    output.line()
    output.line(suggestion_text(plan))
    for command in plan["suggestion"]["commands"]:
        output.line()
        for line in command.split("\n"):
            output.line(line)
    output.line()


def suggestion_text(plan: Plan) -> str:
    """Return how fast to sweep and how long that takes, in sentences."""
    suggested = plan["suggestion"]
    pace = (
        f"At {number(suggested['rate'], 'item')} a second (limited by {suggested['limitedBy']}) the sweep takes about "
        f"{duration(suggested['seconds'])}, in {number(suggested['segments'], 'segment')}."
    )
    if plan["table"]["stack"] is not None:
        return pace
    return (
        f"{pace} Deploy it switched off, move the readers, and switch it on: a sweep follows by itself within a minute "
        "or two. Where that is to keep to the rate, cancel it and start one with migrate."
    )


def verdict_text(plan: Plan) -> str:
    """Return the verdict in a sentence, which says what was looked at."""
    attributes = ", ".join(plan["choice"]["attributes"])
    looked = number(plan["looked"]["items"], "item")
    if plan["inTheWay"]:
        return f"{number(len(plan['inTheWay']), 'thing')} in the way, of {looked} looked at."
    if not plan["looked"]["items"]:
        return f"Nothing stands in the way of encrypting {attributes}; the table has no items to look at."
    sample = "" if plan["looked"]["full"] else " That is a sample: --full looks at all."
    return f"Nothing stands in the way of encrypting {attributes}, of {looked} looked at.{sample}"


def _verdict(output: Output, plan: Plan) -> None:
    output.line(verdict_text(plan), style="bold red" if plan["inTheWay"] else "green")


def _numbers(rows: Sequence[tuple[int, str]]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(justify="right")
    table.add_column()
    for count, words in rows:
        table.add_row(cell(f"{count:,}", "" if count else "dim"), cell(words, "" if count else "dim"))
    return table


def _columns(first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    # The first column is what the others are about: it is the last to be folded.
    table.add_column(first, overflow="fold", min_width=_FIRST)
    for name in others:
        table.add_column(name, justify="left" if name == "type" else "right", overflow="fold")
    return table

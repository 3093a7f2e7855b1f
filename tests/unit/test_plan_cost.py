"""What a plan says that encryption costs: units, calls and amounts by a price list."""

import json
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamodb_stream_encryptor.errors import UsageError
from dynamodb_stream_encryptor.planning.cost import (
    DAYS_A_MONTH,
    GB,
    Deployment,
    Load,
    Use,
    amount,
    migration,
    month,
    total,
)
from dynamodb_stream_encryptor.planning.prices import find_prices

PRICES = find_prices("us-east-1", None)
assert PRICES is not None
LOAD = Load(
    1_000_000, 1_000_000, 1_000_000, 2_048_000_000, 512_000_000, read_before=1, read_after=1, write=3, index_write=0
)
COUNTS = st.floats(0, 1e9)
LOADS = st.builds(
    lambda items, part, size, growth, units: Load(
        items, items * part, items * part / 2, items * size, items * growth, units, units, units, units / 2
    ),
    COUNTS,
    st.floats(0, 1),
    st.floats(1, 400_000),
    st.floats(0, 400_000),
    st.floats(1, 400),
)


def cost(uses: list[Use], on_demand: bool = True) -> float:
    return sum(amount(use, PRICES, on_demand, "x86_64") for use in uses)


def of_month(load: Load, writes: float = 0, reads: float = 0, deployment: Deployment = Deployment()) -> list[Use]:  # noqa: B008 - frozen
    return month(load, deployment, writes, reads, recovery=False, new_key=False)


def test_a_million_items_of_two_kilobytes_that_grow_to_two_and_a_half():
    """GIVEN 1,000,000 items of 2,048 B, each written in 3 units THEN the sweep costs what the price list says."""
    sweep, returned = migration(LOAD, Deployment())
    assert sweep.reads == 2_048_000_000 / 4096
    assert sweep.writes == 3_000_000
    assert sweep.kms == 1_000_000
    assert returned.reads == 1_000_000
    assert (returned.writes, returned.kms) == (0, 0)
    of_dynamodb = Use("", reads=sweep.reads, writes=sweep.writes, kms=sweep.kms)
    assert amount(of_dynamodb, PRICES, True, "x86_64") == pytest.approx(0.5 * 0.125 + 3 * 0.625 + 100 * 0.03)


def test_a_new_write_costs_two_reads_one_call_and_one_write():
    new_writes = of_month(replace(LOAD, read_before=2, read_after=3), writes=10)[0]
    assert (new_writes.reads, new_writes.writes, new_writes.kms) == (10 * (2 + 3), 10 * 3, 10)


def test_indexes_and_replicas_take_the_write_again():
    load = replace(LOAD, write=3, index_write=4, replicas=2)
    assert load.written == (3 + 4) * 3
    assert migration(load, Deployment())[0].writes == load.changed * 21


def test_the_key_is_counted_where_one_is_made():
    with_key = month(LOAD, Deployment(), 0, 0, recovery=False, new_key=True)
    assert cost(with_key) - cost(of_month(LOAD)) == pytest.approx(1.0)


def test_stored_bytes_cost_by_the_gigabyte_and_recovery_as_well():
    grown = replace(LOAD, grown=GB)
    parts = month(grown, Deployment(), 0, 0, recovery=True, new_key=False)
    amounts = {use.what: amount(use, PRICES, True, "x86_64") for use in parts}
    assert amounts["stored bytes, more or fewer"] == pytest.approx(PRICES.storage)
    assert amounts["point-in-time recovery of them"] == pytest.approx(PRICES.recovery)


def test_items_that_shrink_save_storage():
    parts = of_month(replace(LOAD, grown=-GB), deployment=Deployment(sweeps_a_day=0, renewals_a_day=0))
    assert cost(parts) == pytest.approx(-PRICES.storage)


def test_each_item_is_renewed_as_often_as_its_age_says():
    monthly = {use.what: use for use in of_month(LOAD, deployment=Deployment(renewed_after=10))}
    assert monthly["scheduled re-encryption"].kms == 2 * LOAD.changed * DAYS_A_MONTH / 10
    assert "scheduled re-encryption" not in {
        use.what for use in of_month(LOAD, deployment=Deployment(renewed_after=None))
    }


def test_provisioned_units_are_paid_for_by_the_hour():
    hour = Use("", reads=3600, writes=3600)
    assert amount(hour, PRICES, False, "x86_64") == pytest.approx(0.00013 + 0.00065)


@given(LOADS, LOADS, st.booleans())
def test_more_of_anything_never_costs_less(one, other, on_demand):
    """Monotonic in every member of the load."""
    both = Load(*(max(getattr(one, name), getattr(other, name)) for name in one.__dataclass_fields__))
    for load in (one, other):
        assert cost(migration(load, Deployment()), on_demand) <= cost(migration(both, Deployment()), on_demand) + 1e-9
        assert cost(of_month(load, 5, 5), on_demand) <= cost(of_month(both, 5, 5), on_demand) * (1 + 1e-9) + 1e-9


@given(LOADS, COUNTS, COUNTS)
def test_more_writes_and_reads_never_cost_less(load, writes, more):
    assert cost(of_month(load, writes, writes)) <= cost(of_month(load, writes + more, writes + more)) * (1 + 1e-9)


@given(LOADS)
def test_the_total_costs_what_its_parts_do(load):
    parts = [*migration(load, Deployment()), *of_month(load, 7, 9)]
    assert amount(total(parts), PRICES, True, "arm64") == pytest.approx(
        sum(amount(use, PRICES, True, "arm64") for use in parts), abs=1e-6
    )


class TestPrices:
    @pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
    def test_those_that_are_shipped_say_when_and_where_they_are_from(self, region):
        prices = find_prices(region, None)
        assert prices is not None
        assert prices.as_of != "not said"
        assert "price list" in prices.source
        assert prices.currency == "USD"

    def test_another_region_has_none(self):
        assert find_prices("mars-north-1", None) is None

    def test_a_file_of_the_users_takes_their_place(self, tmp_path):
        document = shipped()
        document["currency"] = "EUR"
        document["regions"] = {"mars-north-1": document["regions"]["us-east-1"]}
        document["regions"]["mars-north-1"]["dynamodb"]["millionWriteRequestUnits"] = 9
        file = tmp_path / "prices.json"
        file.write_text(json.dumps(document))
        prices = find_prices("mars-north-1", file)
        assert prices is not None
        assert (prices.currency, prices.write_requests, prices.origin) == ("EUR", 9.0, str(file))

    def test_a_file_without_the_region_is_refused(self, tmp_path):
        file = tmp_path / "prices.json"
        file.write_text(json.dumps(shipped()))
        with pytest.raises(UsageError, match="no prices for mars-north-1"):
            find_prices("mars-north-1", file)

    @pytest.mark.parametrize("wrong", [None, "0.1", -1, True, [], float("inf")])
    @pytest.mark.parametrize(
        "path", [("kms", "keyMonth"), ("dynamodb", "gigabyteMonth"), ("lambda", "gigabyteSecond", "arm64")]
    )
    def test_an_amount_that_is_none_is_named(self, tmp_path, wrong, path):
        document = shipped()
        place = document["regions"]["us-east-1"]
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = wrong
        file = tmp_path / "prices.json"
        file.write_text(json.dumps(document))
        with pytest.raises(UsageError, match=r"no amount " + r"\.".join(path)):
            find_prices("us-east-1", file)

    @pytest.mark.parametrize("content", ["", "[]", "{}", '{"regions": 1}'])
    def test_a_file_of_something_else_is_refused(self, tmp_path, content):
        file = tmp_path / "prices.json"
        file.write_text(content)
        with pytest.raises(UsageError, match="--prices"):
            find_prices("us-east-1", file)

    def test_a_file_that_is_not_there_is_refused(self, tmp_path):
        with pytest.raises(UsageError, match="cannot be read"):
            find_prices("us-east-1", tmp_path / "none.json")

    def test_the_form_that_the_document_shows_is_taken(self, tmp_path):
        document = (Path(__file__).parents[2] / "docs/plan.md").read_text()
        file = tmp_path / "prices.json"
        file.write_text(document.partition("<!-- prices -->\n```json\n")[2].partition("```")[0])
        prices = find_prices("eu-north-1", file)
        assert prices is not None
        assert (prices.as_of, prices.source) == ("2026-11", "our contract")


def shipped() -> dict:
    return json.loads(files("dynamodb_stream_encryptor.planning").joinpath("prices.json").read_text())

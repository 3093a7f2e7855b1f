"""What is to be reached, and what a run reached. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.entries import ENCRYPTION_CLIENT, GUIDE, HIERARCHICAL, KMS, LIMIT, LISA, Kind, of_kind
from benchmarks.spread import ratio

Results = Mapping[str, Any]

_SIZE: Final = "6"
_MB: Final = 1024**2
_LAYER: Final = "CryptoLayer"  # Every function has it, in the build of its processor.
STREAM_FUNCTION: Final = "StreamEncryptorFunction"


@dataclass(frozen=True)
class Goal:
    """One figure to reach.

    Attributes:
        what: the figure, in words.
        bound: what it is to be at least, or at most.
        at_least: which of the two.
        unit: what stands behind the figure.
        find: returns it from results; raises LookupError where it was not measured.
    """

    what: str
    bound: float
    at_least: bool
    unit: str
    find: Callable[[Results], float]

    def reached(self, results: Results) -> float | None:
        """Return the figure, None where it was not measured."""
        try:
            return self.find(results)
        except LookupError:
            return None

    def is_met(self, figure: float) -> bool:
        """Tell whether ``figure`` reaches the bound."""
        return figure >= self.bound if self.at_least else figure <= self.bound


def _write(results: Results, name: str) -> Mapping[str, Any]:
    write: Mapping[str, Any] = results["writes"][name][_SIZE]
    return write


def _best(kind: Kind, figure: Callable[[Results, str], float], at_least: bool) -> Callable[[Results], float]:
    """Return what finds the best figure among the contenders of a kind."""

    def find(results: Results) -> float:
        found = [figure(results, name) for name in of_kind(kind) if _SIZE in results["writes"].get(name, {})]
        if not found:
            raise LookupError(kind)
        return max(found) if at_least else min(found)

    return find


def _beside(other: str, figure: str) -> Callable[[Results, str], float]:
    return lambda results, name: ratio(_write(results, name)[figure], _write(results, other)[figure])


def _speed(other: str) -> Callable[[Results, str], float]:
    return _beside(other, "itemsPerSecond")


def _processor(other: str) -> Callable[[Results, str], float]:
    return _beside(other, "cpuMilliseconds")


def _stored(results: Results, name: str) -> float:
    write = _write(results, name)
    return float(write["storedBytes"] / write["plainBytes"])


def _others_import(results: Results) -> float:
    imports = results["coldImports"]
    return max(float(one["cpuSeconds"]["median"]) for name, one in imports.items() if name != STREAM_FUNCTION)


def _layer(results: Results) -> float:
    return float(next(one["bytes"] for name, one in results["layers"].items() if name.startswith(_LAYER))) / _MB


GOALS: Final = (
    Goal("items/s, KMS keyring, of the limit's", 0.65, True, "×", _best(KMS, _speed(LIMIT), True)),
    Goal("items/s, KMS keyring, of LISA's", 4, True, "×", _best(KMS, _speed(LISA), True)),
    Goal("items/s, KMS keyring, of the guide's", 6, True, "×", _best(KMS, _speed(GUIDE), True)),
    Goal(
        "items/s, KMS keyring, of the Encryption Client's", 2.7, True, "×", _best(KMS, _speed(ENCRYPTION_CLIENT), True)
    ),
    Goal("items/s, hierarchical keyring, of the limit's", 0.75, True, "×", _best(HIERARCHICAL, _speed(LIMIT), True)),
    Goal("processor time, KMS keyring, of LISA's", 0.75, False, "×", _best(KMS, _processor(LISA), False)),
    Goal("processor time, KMS keyring, of the guide's", 0.25, False, "×", _best(KMS, _processor(GUIDE), False)),
    Goal(
        "processor time, KMS keyring, of the Encryption Client's",
        0.6,
        False,
        "×",
        _best(KMS, _processor(ENCRYPTION_CLIENT), False),
    ),
    Goal("KMS calls an item, KMS keyring", 1, False, "", _best(KMS, lambda r, n: _write(r, n)["kmsCalls"], False)),
    Goal(
        "KMS calls an item, hierarchical keyring, warm",
        0.01,
        False,
        "",
        _best(HIERARCHICAL, lambda r, n: _write(r, n)["kmsCalls"], False),
    ),
    Goal("KMS calls of a repeated GET", 0, False, "", lambda r: float(r["reads"][_SIZE]["repeated"]["kmsCalls"])),
    Goal("stored against plaintext, base64", 0.86, False, "×", _best(KMS, _stored, False)),
    Goal("stored against plaintext, binary", 0.67, False, "×", _best("binary", _stored, False)),
    Goal(
        "cold import of the stream's function",
        0.35,
        False,
        " s",
        lambda r: float(r["coldImports"][STREAM_FUNCTION]["cpuSeconds"]["median"]),
    ),
    Goal("cold import of each other function, the slowest", 0.6, False, " s", _others_import),
    Goal("layer, unzipped and compiled", 50, False, " MB", _layer),
    Goal(
        "peak memory, 1,000 records of 50 KB items",
        256,
        False,
        " MB",
        lambda r: r["memory"]["peakBytes"] / _MB if r["memory"]["records"] == 1000 else _not_measured(),
    ),
)


def _not_measured() -> float:
    raise LookupError

"""What a run measured, as `benchmarks/results.json` has it; `docs/performance.md` is rendered from that alone.

::

    {
      "shape": 2,
      "run": {"date": "2026-11-30", "quick": false, "kmsMilliseconds": 8, "sessions": "sessions.jsonl.gz",
              "cores": 2, "processor": "x86_64", "python": "3.11.7", "system": "Linux",
              "engine": "DynamoDB Local 3.3.0", "load": 0.3},  processes that wanted a core when it began
      "writes": {                                        an entry's name, then the size in KB
        "kms": {"6": {
          "items": 100,                                  items of a round
          "itemsPerSecond": {"median": 98.1, "low": 95.0, "high": 101.2, "rounds": [98.1, …]},
          "cpuMilliseconds": {…},                        of the client's process, all threads, an item
          "kmsCalls": 1.0, "dynamodbRequests": 1.01,     an item, repeated requests too
          "plainBytes": 6353.7, "storedBytes": 4740.7,   a whole item, by DynamoDB's rules
          "writeUnits": 6.76, "readUnits": 2.12          an item's write; a consistent read of it by its key, before
        }},
        "lisa": {"300": {"items": 12, "tooLarge": true}} what it makes of an item is larger than DynamoDB stores
      },
      "reads": {                                         the size in KB: GET through the reader's function
        "6": {"items": 20, "plainBytes": …, "storedBytes": …,
              "first": {"milliseconds": {…}, "cpuMilliseconds": {…}, "kmsCalls": 1.0, "dynamodbRequests": 2.0},
              "repeated": {…}}
      },
      "memory": {"records": 1000, "peakBytes": …, "startedBytes": …, "seconds": …, "cpuMilliseconds": …},
      "coldImports": {"StreamEncryptorFunction": {"cpuSeconds": {…}, "modules": 812}, …},
      "layers": {"CryptoLayer": {"bytes": …, "compiledBytes": …, "compiledFiles": …, "sourceFiles": …}},
      "missing": ["coldImports, layers: nothing is built"]
    }

A part that was not measured is absent, and ``missing`` says why. Times are of one machine; ratios within a run say
more.
"""

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

SHAPE: Final = 2
FILE: Final = Path(__file__).with_name("results.json")


def described(quick: bool, kms_milliseconds: float, sessions: str, engine: str) -> dict[str, Any]:
    """Return the ``run`` of results that are measured here and now."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "quick": quick,
        "kmsMilliseconds": kms_milliseconds,
        "sessions": sessions,
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "processor": platform.machine(),
        "python": platform.python_version(),
        "engine": engine,
        "load": round(os.getloadavg()[0], 1),
        "system": platform.system(),
    }


def load(file: Path = FILE) -> dict[str, Any]:
    """Return the results in ``file``; raise ValueError where they have another shape."""
    results: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    if results.get("shape") != SHAPE:
        raise ValueError(f"{file.name} has the shape {results.get('shape')}, and {SHAPE} is read: run make bench")
    return results


def save(results: dict[str, Any], file: Path = FILE) -> None:
    """Write ``results``, a figure a line, so that two runs can be compared."""
    file.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")

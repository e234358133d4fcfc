"""Seconds of `sfumato --help`, beside those of a Python that does nothing.

Both are started in turns; the medians count. Required: `sfumato --help` below 0.4 s.

python benchmarks/startup.py --runs 10
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

REQUIRED = 0.4


def seconds(command: list[str]) -> float:
    """Return how long a command takes.

    Raises:
        SystemExit: If it fails.
    """
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    elapsed = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr[-2000:]}")
    return elapsed


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=10, help="of each command, after one of warm-up")
    options = parser.parse_args()
    program = shutil.which("sfumato", path=str(Path(sys.executable).parent))
    commands = {
        "help": [program, "--help"] if program else [sys.executable, "-m", "sfumato", "--help"],
        "python": [sys.executable, "-c", "pass"],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(options.runs + 1):
        for name, command in commands.items():
            elapsed = seconds(command)
            if number:  # the first one fills the disk's cache
                times[name].append(elapsed)
    median = {name: statistics.median(found) for name, found in times.items()}
    result = {
        "benchmark": "startup",
        "command": "sfumato --help" if program else "python -m sfumato --help",
        "runs": options.runs,
        "help_seconds": round(median["help"], 4),
        "help_slowest": round(max(times["help"]), 4),
        "python_seconds": round(median["python"], 4),
        "difference_seconds": round(median["help"] - median["python"], 4),
        "ratio": round(median["help"] / REQUIRED, 3),
        "required_seconds": REQUIRED,
        "passed": median["help"] < REQUIRED,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()

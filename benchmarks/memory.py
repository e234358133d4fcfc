"""Peak resident memory of `sfumato compare` on Fashion-MNIST, with all of its child processes.

Runs the command as a user does and adds up the resident sets of its process tree five times a second;
shared pages count once per process, so the sum is an upper bound. Required: below 3 GiB.

python benchmarks/memory.py --data ../shared/data/fashion_mnist.tar --budget 20s
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from _fashion import find

LIMIT = 3 * 2**30


def resident(process: psutil.Process) -> list[int]:
    """Return the resident bytes of a process and of everything that it started."""
    try:
        tree = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
    sizes = []
    for member in tree:
        try:
            sizes.append(member.memory_info().rss)
        except (psutil.NoSuchProcess, psutil.AccessDenied):  # it has just ended
            continue
    return sizes


def watch(command: list[str], cache: Path, folder: Path, interval: float) -> dict[str, Any]:
    """Run a command in a folder and return its peaks.

    Raises:
        SystemExit: If it fails, with the end of what it said.
    """
    environment = os.environ | {"SFUMATO_CACHE": str(cache)}
    log = folder / "stderr.txt"
    with open(log, "wb") as errors:
        start = time.perf_counter()
        child = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=errors
        )
        process, peak, largest, members, moment = psutil.Process(child.pid), 0, 0, 0, 0.0
        try:
            while child.poll() is None:
                sizes = resident(process)
                if sum(sizes) > peak:
                    peak, moment = sum(sizes), time.perf_counter() - start
                largest, members = max([largest, *sizes]), max(members, len(sizes))
                time.sleep(interval)
        finally:
            if child.poll() is None:
                child.terminate()
                child.wait()
    if child.returncode:
        tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise SystemExit(f"{' '.join(command)}: exit code {child.returncode}\n{tail}")
    return {
        "peak_gib": round(peak / 2**30, 3),
        "largest_process_gib": round(largest / 2**30, 3),
        "most_processes": members,
        "peak_at_second": round(moment, 1),
        "seconds": round(time.perf_counter() - start, 1),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder of the idx files, or a tar of it")
    parser.add_argument("--models", default="dcgan,vae,flow")
    parser.add_argument("--budget", default="20s", help="training time of each model")
    parser.add_argument("--interval", type=float, default=0.2, help="seconds between two looks")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        scratch = Path(name)
        data = str(find(options.data, scratch))
        command = [sys.executable, "-m", "sfumato", "compare", "--data", data, "--models", options.models]
        command += [
            "--budget",
            options.budget,
            "--out",
            str(scratch / "report"),
            "--device",
            "cpu",
            "--quiet",
        ]
        found = watch(command, scratch / "cache", scratch, options.interval)
    result = {
        "benchmark": "memory",
        "models": options.models,
        "budget": options.budget,
        **found,
        "ratio": round(found["peak_gib"] * 2**30 / LIMIT, 3),
        "required_gib": LIMIT / 2**30,
        "passed": found["peak_gib"] < LIMIT / 2**30,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()

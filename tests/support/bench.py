"""How fast are the three checks on this machine? `make bench` prints it; nothing is asserted.

The worked requests of the contracts are repeated to some thousands of lines and sent through the
very commands a deployer would script, start-up included.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINES = 5_000
COMMANDS = {
    "dose-check": ("dose", "check"),
    "timetable-plan": ("timetable", "plan"),
    "release-check": ("release", "check"),
}


def requests(contract: str) -> list[str]:
    """The requests of a contract's worked examples, one JSON text each."""
    path = ROOT / "tests" / "contracts" / f"{contract}.examples.jsonl"
    worked = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    return [json.dumps(each.get("request", each)) for each in worked]


def main() -> None:
    """Time each command over LINES requests."""
    for contract, command in COMMANDS.items():
        worked = requests(contract)
        sent = "\n".join(worked[number % len(worked)] for number in range(LINES))
        began = time.perf_counter()
        answered = subprocess.run(
            [sys.executable, "-c", "from clinic.cli import main; main()", *command],
            cwd=ROOT,
            input=sent,
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - began
        lines = len(answered.stdout.splitlines())
        said = f"{lines} answers in {seconds:.2f} s, {lines / seconds:,.0f} a second"
        print(  # noqa: T201 - this is a command
            f"{' '.join(command):15} {said if lines == LINES else answered.stderr.strip()[-200:]}"
        )


if __name__ == "__main__":
    main()

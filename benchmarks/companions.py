"""How fast other forward-auth companions answer the same signed-in request.

    script/bench companions [--rounds 5] [--seconds 3]

Each is installed by its name, with the tool of its language, into a folder of its own
(``benchmarks/products``). One that cannot be had here gets a row that says why, and no
figure. All run on the server's core and are asked in turn, as ``script/bench verify``
does; each has to name the user, and to refuse the same request with a forged session.

The others are sent one session again and again, of a single user, which favours them.
"""

import argparse
import os
import platform
import statistics
import subprocess
import tempfile
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Final

from benchmarks.companion_stage import EMPTY, OWN, CompanionStage, Measured
from benchmarks.products.authelia import Authelia
from benchmarks.products.base import Person, Product
from benchmarks.products.nginx_ldap_auth import NginxLdapAuth
from benchmarks.products.oauth2_proxy import OAuth2Proxy
from benchmarks.workload import Workload, create_workload

PRODUCTS: Final[tuple[Product, ...]] = (OAuth2Proxy(), Authelia(), NginxLdapAuth())

_AGAINST: Final = {
    "against nginx": EMPTY,
    **{f"against ours, {store}": name for store, name in OWN.items()},
}


def measure(workload: Workload, folder: Path, *, rounds: int, seconds: float) -> None:
    """Print what an answer of each takes, and how their rates compare."""
    with ExitStack() as stack:
        stage = CompanionStage(stack, folder, workload)
        stage.add_own()
        person = Person()
        for product in PRODUCTS:
            stage.add(product, person)
        facts = _facts(rounds, seconds)
        stage.check()
        # The first answers are dear to all: code is compiled, connections are made.
        for subject in stage.subjects.values():
            subject.measure(seconds)
        found: dict[str, list[Measured]] = {name: [] for name in stage.subjects}
        for number in range(rounds):
            for name in list(found)[:: -1 if number % 2 else 1]:
                found[name].append(stage.subjects[name].measure(seconds))
        stage.check()
        print(_table(found, stage.missing), facts, sep="\n\n")


def _facts(rounds: int, seconds: float) -> str:
    """Return what the figures depend on, besides the versions in the names."""
    nginx = subprocess.run(
        ["nginx", "-v"],  # noqa: S607 - wherever it is installed
        capture_output=True,
        check=True,
        text=True,
    )
    return (
        f"Measured with: forwardauth {version('forwardauth')}; "
        f"Python {platform.python_version()}; "
        f"nginx {nginx.stderr.strip().rpartition('/')[2]}; "
        f"cores {len(os.sched_getaffinity(0))}; "
        f"load before {os.getloadavg()[0]:.2f}; "
        f"rounds {rounds} of {seconds:g} s."
    )


def _table(found: dict[str, list[Measured]], missing: dict[str, str]) -> str:
    """Return a row for each, in Markdown; ratios are formed within one round."""
    heads = ["", "a second", *_AGAINST, "processor time of each"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for name, own in found.items():
        ratios = (
            statistics.median(
                mine.rate / other.rate
                for mine, other in zip(own, found[against], strict=True)
            )
            for against in _AGAINST.values()
        )
        cells = [
            name,
            f"{statistics.median(each.rate for each in own):,.0f}",
            *(f"{ratio:.3f}" for ratio in ratios),
            f"{statistics.median(each.micros for each in own):,.0f} µs",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    lines += [f"| {name} | not measured: {why} |" for name, why in missing.items()]
    return "\n".join(lines)


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="forwardauth-bench-") as name:
        measure(
            create_workload(),
            Path(name),
            rounds=arguments.rounds,
            seconds=arguments.seconds,
        )


if __name__ == "__main__":
    main()

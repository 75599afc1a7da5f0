"""The Dockerfile as instructions, and its commands run without a container.

Nothing here builds an image, which ``script/image`` does: the commands are those of the
file, with the folders of the image at places of this machine.
"""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.repository import ROOT

DOCKERFILE: Final = ROOT / "Dockerfile"
IGNORED: Final = ROOT / ".dockerignore"
_RUN_SECONDS: Final = 120
_PREFIX: Final = "org.opencontainers.image."


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One instruction.

    Attributes:
        keyword: Such as ``RUN``.
        text: What follows it, continued lines joined.
    """

    keyword: str
    text: str

    @property
    def words(self) -> list[str]:
        """The list of the exec form; fails for the shell form."""
        words = json.loads(self.text[self.text.index("[") :])
        assert isinstance(words, list)
        return words


def read_stages(text: str | None = None) -> list[list[Instruction]]:
    """Return the instructions of each stage, in order; those before ``FROM`` first."""
    lines = (text or DOCKERFILE.read_text("utf-8")).splitlines()
    source = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    stages: list[list[Instruction]] = [[]]
    for line in re.sub(r"\\\n\s*", "", source).splitlines():
        keyword, _, rest = line.strip().partition(" ")
        if not keyword:
            continue
        if keyword == "FROM":
            stages.append([])
        stages[-1].append(Instruction(keyword=keyword, text=rest.strip()))
    return stages


def all_of(stage: list[Instruction], keyword: str) -> list[Instruction]:
    """Return the instructions of *stage* with *keyword*."""
    return [each for each in stage if each.keyword == keyword]


def the(stage: list[Instruction], keyword: str) -> Instruction:
    """Return the one instruction of *stage* with *keyword*."""
    (found,) = all_of(stage, keyword)
    return found


def variables(stage: list[Instruction]) -> dict[str, str]:
    """Return what the ``ENV`` instructions of *stage* set."""
    return _pairs(all_of(stage, "ENV"))


def labels(stage: list[Instruction]) -> dict[str, str]:
    """Return what the ``LABEL`` instructions of *stage* set, without their prefix."""
    found = _pairs(all_of(stage, "LABEL"))
    return {name.removeprefix(_PREFIX): value for name, value in found.items()}


def _pairs(instructions: list[Instruction]) -> dict[str, str]:
    words = (word for each in instructions for word in shlex.split(each.text))
    pairs = (word.partition("=") for word in words)
    return {name: value for name, _, value in pairs}


def run_line(
    instruction: Instruction, *, places: Mapping[str, Path], folder: Path
) -> None:
    """Run a ``RUN`` line in *folder*, with folders of the image at *places*."""
    command = instruction.text
    for name, place in places.items():
        command = re.sub(rf"(?<![\w/.]){re.escape(name)}\b", str(place), command)
    # Our own pip serves; unpacking one for each environment takes its time.
    command = command.replace(
        "python3 -m venv", f"{sys.executable} -m venv --without-pip"
    )
    subprocess.run(  # noqa: S603 - the commands of the repository
        ["/bin/sh", "-c", command],
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=_RUN_SECONDS,
    )


def context() -> set[str]:
    """Return what of the top of the repository the build gets to see."""
    lines = IGNORED.read_text("utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*", "everything else is kept away"
    return {rule[1:] for rule in rules if rule.startswith("!")}

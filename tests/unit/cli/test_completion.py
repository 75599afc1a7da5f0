"""``forwardauth completion``: a real bash completes, and the other shells are asked."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from forwardauth.cli.main import COMMANDS, main

HEADS = {
    "bash": "complete -o nosort -F _forwardauth_completion forwardauth",
    "zsh": "#compdef forwardauth",
    "fish": "complete --no-files --command forwardauth",
}
BASH = """\
eval "$(forwardauth completion bash)"
COMP_WORDS=({words}); COMP_CWORD={at}
_forwardauth_completion forwardauth
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.mark.parametrize(("shell", "head"), HEADS.items(), ids=HEADS)
def test_the_script_is_for_the_shell_that_is_named(shell: str, head: str) -> None:
    """It registers the program, and asks it by the variable that click looks for."""
    result = CliRunner().invoke(main, ["completion", shell])

    assert result.exit_code == 0
    assert head in result.stdout
    assert f"_FORWARDAUTH_COMPLETE={shell}_complete" in result.stdout


def test_another_shell_is_a_mistake_in_the_call() -> None:
    """The message has those that are known."""
    result = CliRunner().invoke(main, ["completion", "tcsh"])

    assert result.exit_code == 2
    assert "'bash', 'zsh', 'fish'" in result.stderr


def completed(*words: str) -> list[str]:
    """Return what a real bash offers for the last of *words*."""
    program = Path(sys.executable).with_name("forwardauth")
    bash = shutil.which("bash")
    assert bash is not None
    found = subprocess.run(  # noqa: S603 - our own program
        [bash, "-c", BASH.format(words=" ".join(words), at=len(words) - 1)],
        env={"PATH": f"{program.parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    return found.stdout.split()


WORDS = {
    "command": (("forwardauth", "se"), ["serve", "sessions"]),
    "subcommand": (("forwardauth", "import", "tr"), ["traefik-forward-auth"]),
    "option": (("forwardauth", "users", "list", "--j"), ["--json"]),
    "choice": (("forwardauth", "completion", "z"), ["zsh"]),
    "value": (("forwardauth", "doctor", "--proxy", "t"), ["traefik"]),
    "other module": (("forwardauth", "store", "mi"), ["migrate"]),
}


@pytest.mark.parametrize(("words", "wanted"), WORDS.values(), ids=WORDS)
def test_bash_completes(words: tuple[str, ...], wanted: list[str]) -> None:
    """Commands, their subcommands, options and choices."""
    assert completed(*words) == wanted


def test_every_command_is_offered_with_its_purpose() -> None:
    """Where a shell shows one; no command is imported for it."""
    result = CliRunner().invoke(
        main,
        [],
        prog_name="forwardauth",
        env={
            "_FORWARDAUTH_COMPLETE": "fish_complete",
            "COMP_WORDS": "forwardauth ",
            "COMP_CWORD": "",
        },
    )

    offered = dict(
        line.removeprefix("plain,").split("\t")
        for line in result.stdout.splitlines()
        if "\t" in line
    )
    assert offered == COMMANDS

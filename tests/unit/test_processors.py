"""How many processors there are is how many this process may use."""

import os
import subprocess
import sys

from forwardauth.processors import count_processors


def test_all_that_this_process_may_use_count() -> None:
    """At least one, and no more than the machine has."""
    assert count_processors() in range(1, (os.cpu_count() or 1) + 1)


def test_processors_that_others_have_do_not_count() -> None:
    """A container or ``taskset`` gives a process some of them."""
    program = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "from forwardauth.processors import count_processors\n"
        "print(count_processors())"
    )
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout == "1\n"

"""The command ``forwardauth``, which is ``python -m forwardauth``, too.

Law: a service that starts knows what becomes of the signals that only ask it for
something before it loads what takes time. Until then each of them would end it, and
nothing can be done about that from here.
"""

import signal
import sys


def run() -> None:
    """Run the command that was called."""
    if sys.argv[1:2] == ["serve"]:
        _ignore_requests()
    can_be_interrupted = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if can_be_interrupted:
        # Nobody would catch what Python makes of Ctrl-C: it ends this without a word.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from forwardauth.cli.main import main  # noqa: PLC0415 - see the law

    if can_be_interrupted:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    main(prog_name="forwardauth")


def _ignore_requests() -> None:
    """Outlive the signals for a reload and for a rotation of logs.

    Nothing has been read and no file is open, so whoever asks gets what was asked for
    by the start itself. ``serve`` listens before it reads or opens anything.
    """
    for number in (signal.SIGHUP, signal.SIGUSR1):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    run()

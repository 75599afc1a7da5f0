"""``python -m forwardauth``: the same command as ``forwardauth``."""

from forwardauth.cli.main import main

if __name__ == "__main__":
    main(prog_name="forwardauth")

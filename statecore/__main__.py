"""`python -m statecore` is `statecore`."""

from statecore.cli import script

if __name__ == "__main__":
    script()

"""`python -m statecore` is `statecore`."""

import sys

from statecore.cli import main

if __name__ == "__main__":
    sys.exit(main())

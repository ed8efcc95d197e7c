"""Runs `python -m resnet_inspect` as the command `resnet-inspect`."""

import sys

from resnet_inspect.cli.main import main

if __name__ == "__main__":
    sys.exit(main())

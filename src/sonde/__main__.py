"""`python -m sonde` is the `sonde` program."""

import sys

from sonde.cli import main

sys.exit(main())

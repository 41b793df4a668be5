"""Run the command line with ``python -m deepgram_async.cli``."""

import sys

from deepgram_async.cli import main

sys.exit(main())

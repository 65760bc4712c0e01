"""`python -m wmsim.train`, also for `torchrun -m wmsim.train`."""

import sys

from wmsim.train.program import main

main(sys.argv[1:])

"""`python -m keras_reid.cli`."""

import sys

from keras_reid.cli import main

if __name__ == "__main__":
    sys.exit(main())

import sys

from orders.server import main

sys.exit(main(sys.argv[1:]))

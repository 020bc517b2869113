"""A neighbour: computes in bursts of random length, with random pauses. python burner.py SEED BURST PAUSE (seconds)."""

import random
import sys
import time


def main() -> None:
    """Burn until it is ended."""
    draw, (burst, pause) = random.Random(int(sys.argv[1])), map(float, sys.argv[2:4])
    while True:
        time.sleep(draw.expovariate(1 / pause))
        until = time.monotonic() + draw.expovariate(1 / burst)
        value = 1
        while time.monotonic() < until:
            for number in range(1000):
                value = (value * 31 + number) & 0xFFFFFF


if __name__ == "__main__":
    main()

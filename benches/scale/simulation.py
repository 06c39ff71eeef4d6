"""How much of a machine may be used: threads that each serve the connections which the kernel's hash gave them.

The kernel spreads connections, not requests, and not evenly. Of all threads of all machines the one with the most connections is
simulated, as a queue with arrivals at random and equally long requests, after one machine has been lost. Every run draws the same numbers."""

import random

SEED = 83
ARRIVALS = 20_000
# What counts as enough: of a thousand requests, 999 wait no longer than this for their turn.
WAIT_MAX = 1e-3
QUANTILE = 0.999
# Connections on a thread: more are drawn by their mean and spread, because of so many the sum is normal.
DRAWN_MAX = 50


def busiest(connections, threads, generator):
    """The connections of the thread that has most, where each connection is on any thread with the same chance."""
    mean = connections / threads
    if mean > DRAWN_MAX:
        return max(generator.gauss(mean, mean**0.5) for _ in range(threads))
    held = [0] * threads
    for _ in range(round(connections)):
        held[generator.randrange(threads)] += 1
    return max(held)


def waits(load, cost, generator, arrivals=ARRIVALS):
    """Seconds that each request waits on a thread that is busy for this share of the time (Lindley's recursion)."""
    mean, wait, found = cost / load, 0.0, []
    for _ in range(arrivals):
        found.append(wait)
        wait = max(0.0, wait + cost - generator.expovariate(1 / mean))
    return found


def is_enough(machines, requests, cost, cores, connections):
    """Whether the busiest thread of those machines but one keeps up."""
    generator = random.Random(SEED)
    threads = (machines - 1) * cores
    if threads < 1:
        return False
    share = busiest(connections, threads, generator) / connections
    load = requests * share * cost
    return load < 1 and quantile(waits(load, cost, generator), QUANTILE) <= WAIT_MAX


def quantile(values, share):
    return sorted(values)[int((len(values) - 1) * share)]


def fewest(requests, cost, cores, connections):
    """The fewest machines that are enough; never only one, because that one may be lost."""
    count = max(2, int(requests * cost / cores) + 1)
    while not is_enough(count, requests, cost, cores, connections):
        count += max(1, count // 100)
    return count

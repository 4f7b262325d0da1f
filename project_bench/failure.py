"""What ends the benchmark early."""


class BenchError(Exception):
    """A sentence for the person at the keyboard: what, where, what to do."""

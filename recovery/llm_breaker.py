"""Leaves a dead model alone: after several failures in a row only a probe goes out now and then."""


class Breaker:
    """Counts failures in a row; once they are too many, lets one call through per pause, each pause twice as long.

    Times are any monotonic seconds, passed in. A probe that never reports back costs one pause and blocks nobody for
    longer.
    """

    def __init__(self, failures: int = 5, pause: float = 15.0, longest: float = 300.0) -> None:
        self._most = failures
        self._pause = pause
        self._longest = longest
        self._failures = 0
        self._probes = 0
        self._until = 0.0

    def wait(self, now: float) -> float:
        """Seconds until a call may go out; 0 lets this one go, and if it is a probe, nobody else meanwhile."""
        if self._failures < self._most:
            return 0.0
        if now < self._until:
            return self._until - now
        self._probes += 1
        self._until = now + self._length()
        return 0.0

    def succeeded(self) -> None:
        """The model answered."""
        self._failures = self._probes = 0

    def failed(self, now: float) -> None:
        """The model did not answer."""
        self._failures += 1
        if self._failures >= self._most:
            self._until = now + self._length()

    def _length(self) -> float:
        return min(self._pause * 2.0 ** min(self._probes, 20), self._longest)

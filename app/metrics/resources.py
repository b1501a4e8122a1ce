"""What this process takes of its machine, as the library reads it."""

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector

_GAUGES = {
    "process_resident_memory_bytes": "Resident memory size.",
    "process_virtual_memory_bytes": "Virtual memory size.",
    "process_open_fds": "Open file descriptors.",
}
_LIMIT = "process_max_fds"
_START = "process_start_time_seconds"
_PROCESSOR = "process_cpu_seconds"


class Resources:
    """Tells it by metrics that several processes can add up; the library's collector has others."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._library = ProcessCollector(registry=None)
        self._gauges = {
            name: Gauge(name, told, multiprocess_mode="livesum", registry=registry)
            for name, told in _GAUGES.items()
        }
        self._gauges[_LIMIT] = Gauge(
            _LIMIT,
            "The most file descriptors of one process.",
            multiprocess_mode="livemin",
            registry=registry,
        )
        self._gauges[_START] = Gauge(
            _START,
            "When the first process started, since the epoch.",
            multiprocess_mode="livemin",
            registry=registry,
        )
        self._processor = Counter(
            _PROCESSOR, "Processor time of user and system.", registry=registry
        )
        self._used = 0.0

    def write(self) -> None:
        """Set them to what is so now; where there is no /proc they stay at 0."""
        for family in self._library.collect():
            value = family.samples[0].value
            if family.name == _PROCESSOR:
                self._processor.inc(max(value - self._used, 0))
                self._used = value
            else:
                self._gauges[family.name].set(value)

"""Where a process keeps its metrics."""

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector


def process_registry() -> CollectorRegistry:
    """A registry with what every process tells of itself: memory, processor time, files, garbage collections.

    It is not the library's global one, so that a test can have many processes' insides.
    """
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry

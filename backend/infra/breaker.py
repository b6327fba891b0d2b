"""Circuit breakers: skip calls to a system that just failed, so that callers fail fast."""

import pybreaker
import structlog

log = structlog.get_logger(__name__)


class _LogChanges(pybreaker.CircuitBreakerListener):
    def state_change(
        self,
        cb: pybreaker.CircuitBreaker,
        old_state: pybreaker.CircuitBreakerState | None,
        new_state: pybreaker.CircuitBreakerState,
    ) -> None:
        log.warning("breaker_changed", breaker=cb.name, state=new_state.name)


def create_breaker(name: str, *, failures: int = 2, reset_seconds: float = 5) -> pybreaker.CircuitBreaker:
    """Return a breaker that opens after `failures` consecutive failures and retries after `reset_seconds`."""
    return pybreaker.CircuitBreaker(
        fail_max=failures,
        reset_timeout=reset_seconds,
        name=name,
        listeners=[_LogChanges()],
        throw_new_error_on_trip=False,
    )

"""Hypothesis profiles of the pure tests: few examples by default, many on request (`HYPOTHESIS_PROFILE=thorough`)."""

import os

from hypothesis import HealthCheck, settings

# The oracles are slow on purpose, and the machine may be busy: speed is never what a property is about.
SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)


def load() -> None:
    """The same examples every time in CI, new ones elsewhere. Nothing is kept on disk."""
    settings.register_profile("quick", max_examples=40, deadline=None, database=None, suppress_health_check=SLOW)
    settings.register_profile("ci", settings.get_profile("quick"), derandomize=True)
    settings.register_profile("thorough", settings.get_profile("quick"), max_examples=2_000)
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "quick"))

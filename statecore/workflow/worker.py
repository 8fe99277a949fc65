"""The import path of `Worker`."""

from statecore.runtime.worker import Went, Worker

__all__ = ["Went", "Worker"]

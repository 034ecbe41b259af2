"""The text queue: `arq workers.text.WorkerSettings`."""

from workers.runtime import worker_settings

WorkerSettings = worker_settings("text")

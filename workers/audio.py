"""The audio queue: `arq workers.audio.WorkerSettings`."""

from workers.runtime import worker_settings

WorkerSettings = worker_settings("audio")

"""The image queue: `arq workers.image.WorkerSettings`."""

from workers.runtime import worker_settings

WorkerSettings = worker_settings("image")

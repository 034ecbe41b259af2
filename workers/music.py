"""The music queue: `arq workers.music.WorkerSettings`."""

from workers.runtime import worker_settings

WorkerSettings = worker_settings("music")

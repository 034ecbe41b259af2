"""The upscale queue: `arq workers.upscale.WorkerSettings`."""

from workers.runtime import worker_settings

WorkerSettings = worker_settings("upscale")

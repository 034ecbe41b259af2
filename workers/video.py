"""The video queue: `arq workers.video.WorkerSettings`."""

from workers.runtime import worker_settings

WorkerSettings = worker_settings("video")

"""Several processes that listen at one socket, and stop as one."""

import signal
import socket
from datetime import timedelta
from types import FrameType

import uvicorn
from uvicorn.supervisors import Multiprocess, multiprocess

from app.metrics.processes import Folder
from app.server.stopping import Server, end_by


class Config(uvicorn.Config):
    """What a worker has to know, which gets it from its supervisor."""

    unready_for = timedelta(0)


class Worker(multiprocess.Process):
    """A process whose server stops in steps."""

    @property
    def server(self) -> uvicorn.Server:
        if self._server is None:
            assert isinstance(self.config, Config)  # noqa: S101 - whoever makes one is below
            self._server = Server(self.config, self.config.unready_for)
        return self._server


# It is the name by which the supervisor makes processes, at its start and in place of dead ones.
multiprocess.Process = Worker  # type: ignore[misc]


class Workers(Multiprocess):
    """The processes and their supervisor; a second signal ends all of them at once.

    They count together in a `folder`, which their supervisor keeps and removes.
    """

    def __init__(self, config: Config, sockets: list[socket.socket], folder: Folder) -> None:
        super().__init__(config, sockets)
        self._folder = folder
        self._is_told = False
        for sig in (signal.SIGINT, signal.SIGTERM):
            signal.signal(sig, self._told)

    def keep_subprocess_alive(self) -> None:
        """Start processes in place of dead ones, whose gauges are forgotten."""
        super().keep_subprocess_alive()
        self._folder.keep({one.pid for one in self.processes})

    def terminate_all(self) -> None:
        """Tell the workers to stop; the last of them to stop listening is the last that listens."""
        for one in self.sockets:
            one.close()
        super().terminate_all()

    def _told(self, sig: int, _: FrameType | None) -> None:
        if not self._is_told:
            self._is_told = True
            self.signal_queue.append(sig)
            return
        for process in self.processes:
            if process.process.is_alive():
                process.process.kill()
        self._folder.remove()
        end_by(sig)

"""Clients that take their answers slowly are served; those that take nothing are cut off."""

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from plainly import answering, given
from world import serving

# More than the system takes for a connection on the loopback, some 4 MB.
LARGE = b"x" * (24 << 20)
GET = b"GET /large HTTP/1.1\r\nHost: localhost\r\n%b\r\n"
KEPT, CLOSED = b"", b"Connection: close\r\n"
APP = answering({"/large": given(LARGE, {})})


class Reader:
    """A client of a small buffer that has asked for the large answer, and counts what it takes."""

    def __init__(self, url: str, fields: bytes) -> None:
        host, _, port = url.removeprefix("http://").partition(":")
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        self._socket.settimeout(10)
        self._socket.connect((host, int(port)))
        self._socket.sendall(GET % fields)
        self._bytes = 0

    def close(self) -> None:
        self._socket.close()

    def take(self) -> bool:
        """Take some of what there is; say whether there was any."""
        try:
            part = len(self._socket.recv(1 << 16))
        except (ConnectionError, TimeoutError):
            return False
        self._bytes += part
        return part > 0

    def takes_whole(self, slowly_for: float = 0) -> bool:
        """Take 700 kB a second, for so long, and then what is left; say whether it is all."""
        end = time.monotonic() + slowly_for
        while self._bytes <= len(LARGE) and self.take():
            if time.monotonic() < end:
                time.sleep(0.09)
        return self._bytes > len(LARGE)


Asking = Callable[[str, bytes], Reader]
FIELDS = pytest.mark.parametrize("fields", [KEPT, CLOSED], ids=["kept", "closed"])


@pytest.fixture
def asking() -> Iterator[Asking]:
    """Return what makes clients, which go when the server has gone."""
    made: list[Reader] = []

    def ask(url: str, fields: bytes) -> Reader:
        made.append(Reader(url, fields))
        return made[-1]

    yield ask
    for one in made:
        one.close()


def test_who_takes_nothing_is_cut_off_and_who_takes_a_little_is_not(asking: Asking) -> None:
    with serving(APP) as url, ThreadPoolExecutor(2) as together:
        silent, steady = ([asking(url, fields) for fields in (KEPT, CLOSED)] for _ in range(2))
        whole = list(together.map(lambda one: one.takes_whole(slowly_for=24), steady))
        cut_off = [not one.takes_whole() for one in silent]

    assert whole == [True] * 2
    assert cut_off == [True] * 2


@FIELDS
def test_a_stop_does_not_wait_for_who_takes_nothing(asking: Asking, fields: bytes) -> None:
    with serving(APP) as url:
        silent = asking(url, fields)
        assert silent.take()
        began = time.monotonic()
    seconds = time.monotonic() - began

    assert seconds < 6
    assert not silent.takes_whole()


@FIELDS
def test_a_stop_waits_for_who_takes_a_little(asking: Asking, fields: bytes) -> None:
    with ThreadPoolExecutor(1) as beside, serving(APP) as url:
        steady = asking(url, fields)
        assert steady.take()
        taking = beside.submit(steady.takes_whole, 6)
        began = time.monotonic()
    seconds = time.monotonic() - began

    assert taking.result()
    assert seconds > 5

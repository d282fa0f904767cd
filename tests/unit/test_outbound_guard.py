"""The guard of connections. 127.0.0.2 represents an allowed address, 127.0.0.1 a forbidden one."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from ipaddress import ip_network

import httpcore2
import pytest

from batchscribe.errors import AddressNotAllowed
from batchscribe.outbound.guard import BoundedStream, Deadline, GuardedBackend, Resolve, resolve
from batchscribe.outbound.policy import Policy

ALLOWED, ALSO_ALLOWED, FORBIDDEN = "127.0.0.2", "127.0.0.3", "127.0.0.1"
POLICY = Policy(allow_networks=(ip_network("127.0.0.2/31"),))
HOST = "hooks.example.org"


class Answers:
    """A resolver that returns these answers in order. The last one is repeated."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.asked = 0
        self._answers = answers

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        return self._answers[min(self.asked, len(self._answers)) - 1]


@contextmanager
def listening(*addresses: str) -> Iterator[list[socket.socket]]:
    """Listen on one port of these addresses."""
    with ExitStack() as stack:
        found: list[socket.socket] = []
        while len(found) < len(addresses):
            with ExitStack() as attempt, suppress(OSError):  # another program may use the port at one of the addresses
                found = [attempt.enter_context(socket.create_server((addresses[0], 0)))]
                for address in addresses[1:]:
                    found.append(attempt.enter_context(socket.create_server((address, port_of(found[0])))))
                stack.push(attempt.pop_all())
        yield found


def port_of(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


def connected_to(stream: httpcore2.NetworkStream) -> str:
    address: str = stream.get_extra_info("server_addr")[0]
    stream.close()
    return address


def has_a_visitor(listener: socket.socket) -> bool:
    listener.settimeout(0.05)
    try:
        listener.accept()[0].close()
    except TimeoutError:
        return False
    return True


def backend(resolve: Resolve, *, policy: Policy = POLICY, total_sec: float = 10) -> GuardedBackend:
    return GuardedBackend(policy, Deadline(total_sec), resolve)


def test_a_name_that_changes_its_address_is_connected_to_where_it_was_judged() -> None:
    answers = Answers([ALLOWED], [FORBIDDEN])
    with listening(ALLOWED, FORBIDDEN) as (good, bad):
        assert connected_to(backend(answers).connect_tcp(HOST, port_of(good))) == ALLOWED
        assert not has_a_visitor(bad)
    assert answers.asked == 1


def test_one_bad_address_among_good_ones_refuses_the_name() -> None:
    for mixed in ([ALLOWED, FORBIDDEN], [FORBIDDEN, ALLOWED]):
        with listening(ALLOWED, FORBIDDEN) as (good, bad):
            with pytest.raises(AddressNotAllowed) as refused:
                backend(Answers(mixed)).connect_tcp(HOST, port_of(good))
            assert_tells_no_address(refused.value.message)
            assert not has_a_visitor(good)
            assert not has_a_visitor(bad)


def assert_tells_no_address(sentence: str) -> None:
    """The message goes to a tenant, who may have named the host to learn its internal address."""
    assert sentence.startswith(f"{HOST} resolves to an address to which requests to port ")
    assert POLICY.ask_operator in sentence
    assert not [sign for sign in (ALLOWED, FORBIDDEN, "{", "}") if sign in sentence]


@pytest.mark.parametrize(
    "answer", ["10.0.0.1", "::1", "::ffff:127.0.0.1", "169.254.169.254", "64:ff9b::7f00:1", "fe80::1%lo"]
)
def test_a_name_of_an_address_that_is_not_public_is_refused(answer: str) -> None:
    with pytest.raises(AddressNotAllowed):
        backend(Answers(["8.8.8.8", answer]), policy=Policy()).connect_tcp(HOST, 443)


def test_a_public_address_is_not_connected_to_on_any_port_because_networks_are_allowed() -> None:
    with pytest.raises(AddressNotAllowed, match="port 25"):
        backend(Answers(["8.8.8.8"])).connect_tcp(HOST, 25)


@pytest.mark.parametrize("spelling", ["2130706433", "0x7f.1", "127.1", "localhost"])
def test_the_real_resolver_is_judged_by_its_answers_however_the_host_is_spelled(spelling: str) -> None:
    with listening(FORBIDDEN) as (bad,):
        with pytest.raises(AddressNotAllowed):
            backend(resolve, policy=Policy()).connect_tcp(spelling, port_of(bad))
        assert not has_a_visitor(bad)


def test_a_mapped_address_is_connected_to_as_what_it_reaches() -> None:
    with listening(ALLOWED) as (good,):
        stream = backend(Answers([f"::ffff:{ALLOWED}"])).connect_tcp(HOST, port_of(good))
        assert connected_to(stream) == ALLOWED


def test_when_the_first_address_refuses_the_next_is_tried() -> None:
    with listening(ALLOWED) as (good,):
        stream = backend(Answers([ALSO_ALLOWED, ALLOWED])).connect_tcp(HOST, port_of(good))
        assert connected_to(stream) == ALLOWED


@contextmanager
def full(listener: socket.socket) -> Iterator[None]:
    """The listener answers no further connection, because its queue is full and never read."""
    listener.listen(0)
    with ExitStack() as stack:
        for _ in range(2):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield


def test_when_the_first_address_does_not_answer_the_next_is_tried_after_the_connect_timeout() -> None:
    with listening(ALSO_ALLOWED, ALLOWED) as (silent, good), full(silent):
        stream = backend(Answers([ALSO_ALLOWED, ALLOWED])).connect_tcp(HOST, port_of(good), timeout=0.2)
        assert connected_to(stream) == ALLOWED


def test_unresponsive_addresses_do_not_delay_beyond_the_deadline() -> None:
    with listening(ALSO_ALLOWED) as (silent,), full(silent):
        began_at = time.monotonic()
        with pytest.raises(httpcore2.TimeoutException):
            backend(Answers([ALSO_ALLOWED] * 100), total_sec=0.3).connect_tcp(HOST, port_of(silent), timeout=0.2)
        assert time.monotonic() - began_at < 10, "not the 20 s of all addresses"


def test_an_unresponsive_name_server_does_not_delay_beyond_the_deadline() -> None:
    asleep = threading.Event()

    def never(host: str, port: int) -> Sequence[str]:
        asleep.wait(30)
        return []

    with pytest.raises(httpcore2.ConnectTimeout, match="not resolved in time"):
        backend(never, total_sec=0.1).connect_tcp(HOST, 443)
    asleep.set()


def test_a_name_without_an_address_cannot_be_connected_to() -> None:
    with pytest.raises(httpcore2.ConnectError, match=f"{HOST} has no address"):
        backend(Answers([])).connect_tcp(HOST, 443)


def test_a_name_that_does_not_resolve_is_a_matter_of_the_network_not_of_permission() -> None:
    def unknown(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(httpcore2.ConnectError, match="Name or service not known"):
        backend(unknown).connect_tcp(HOST, 443)


@pytest.mark.parametrize(
    "use",
    [lambda stream: stream.read(1), lambda stream: stream.write(b"x")],
    ids=["read", "write"],
)
def test_no_use_of_a_connection_begins_after_the_deadline(use: Callable[[httpcore2.NetworkStream], object]) -> None:
    """Even if there is data to read: a receiver that never stops sending is not read forever."""
    deadline = Deadline(60)
    with listening(ALLOWED) as (good,):
        stream = GuardedBackend(POLICY, deadline, Answers([ALLOWED])).connect_tcp(HOST, port_of(good))
        assert isinstance(stream, BoundedStream)
        peer, _ = good.accept()
        with peer:
            peer.sendall(b"a lot to read")
            stream.read(1)
            end_in(deadline, 0.0)
            with pytest.raises(httpcore2.TimeoutException):
                use(stream)
        stream.close()


def end_in(deadline: Deadline, sec: float) -> None:
    """Move a deadline that was far away, so that what comes before it may take any time."""
    deadline._at = time.monotonic() + sec  # noqa: SLF001


def test_one_read_takes_no_longer_than_the_deadline_leaves() -> None:
    deadline = Deadline(60)
    with listening(ALLOWED) as (good,):
        stream = GuardedBackend(POLICY, deadline, Answers([ALLOWED])).connect_tcp(HOST, port_of(good))
        end_in(deadline, 0.2)
        began_at = time.monotonic()
        with pytest.raises(httpcore2.TimeoutException):
            stream.read(1, timeout=30)
        assert time.monotonic() - began_at < 5
        stream.close()

"""Puts the parts together and runs them until a signal comes."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import signal
import socket
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import grpc.aio
import uvicorn

from infra.local.tasks.control import Control
from infra.local.tasks.dispatcher import Dispatcher
from infra.local.tasks.faults import FaultPlan
from infra.local.tasks.http_client import HttpClient
from infra.local.tasks.journal import Journal
from infra.local.tasks.oidc import TokenSigner
from infra.local.tasks.persistence import Store
from infra.local.tasks.registry import Registry
from infra.local.tasks.scheduler import Scheduler, SchedulerTarget
from infra.local.tasks.service import generic_handler

log = logging.getLogger("tasks")
logging.getLogger("uvicorn").setLevel(logging.WARNING)

_STOP_GRACE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Options:
    """A port of 0 lets the system choose; the log says which. `scheduler_target` None: no schedules."""

    host: str
    grpc_port: int
    http_port: int
    data: Path
    service_account: str
    instance_account: str
    scheduler_target: str | None


class PortInUse(Exception):
    def __init__(self, port: int) -> None:
        super().__init__(f"port {port} is in use (needed by tasks)")


async def serve(options: Options) -> None:
    """Until SIGTERM or SIGINT. Raises PortInUse, or DataInUse when another process has the data directory."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with _listen(options.host, options.grpc_port):
        pass  # gRPC reports a port in use less clearly; so try it first
    with _listen(options.host, options.http_port) as http_socket, contextlib.closing(Store(options.data)) as store:
        await _serve(options, store=store, http_socket=http_socket, stop=stop)
    log.info("stopped")


async def _serve(options: Options, *, store: Store, http_socket: socket.socket, stop: asyncio.Event) -> None:
    clock = time.time
    registry = Registry(store=store, clock=clock)
    signer, client, faults, journal = TokenSigner(options.data), HttpClient(), FaultPlan(), Journal()
    dispatcher = Dispatcher(
        registry=registry, client=client, signer=signer, faults=faults, journal=journal, clock=clock
    )
    scheduler = None
    if options.scheduler_target is not None:
        target = SchedulerTarget(url=options.scheduler_target.rstrip("/"), email=options.service_account)
        scheduler = Scheduler(target=target, client=client, signer=signer)
    control = Control(
        registry=registry,
        dispatcher=dispatcher,
        faults=faults,
        journal=journal,
        signer=signer,
        scheduler=scheduler,
        email=options.service_account,
        instance_email=options.instance_account,
        clock=clock,
    )
    # Without so_reuseport=0 a second instance would silently share the port.
    grpc_server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    grpc_server.add_generic_rpc_handlers([generic_handler(registry=registry, dispatcher=dispatcher)])
    try:
        grpc_port = grpc_server.add_insecure_port(f"{options.host}:{options.grpc_port}")
    except RuntimeError:
        raise PortInUse(options.grpc_port) from None
    await grpc_server.start()
    http_server = _HttpServer(
        uvicorn.Config(
            control.application(), lifespan="off", access_log=False, log_config=None, timeout_graceful_shutdown=1
        )
    )
    serving_http = asyncio.create_task(http_server.serve(sockets=[http_socket]))
    schedules = asyncio.create_task(scheduler.run()) if scheduler is not None else None
    log.info(
        "Cloud Tasks ready: gRPC on port %d, http on port %d, %d queues, %d tasks",
        grpc_port,
        http_socket.getsockname()[1],
        len(registry.queues),
        sum(len(queue.tasks) for queue in registry.queues.values()),
    )
    await stop.wait()
    if schedules is not None:
        schedules.cancel()
    await dispatcher.stop(grace=_STOP_GRACE_SECONDS)
    http_server.should_exit = True
    await grpc_server.stop(grace=0.5)
    await serving_http
    client.close()


class _HttpServer(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        # The signals stop the whole program, not this server alone.
        yield


def _listen(host: str, port: int) -> socket.socket:
    # With the protocol named, asyncio turns Nagle's algorithm off; else each answer waits 40 ms for a delayed ACK.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno != errno.EADDRINUSE:
            raise
        raise PortInUse(port) from None
    return listener

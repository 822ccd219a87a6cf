"""What each process does before Django is set up, as `setup_env` of the systems does."""

import os

import structlog
from maykin_common.otel import setup_otel


def setup_env() -> None:
    """Trace what happens, and give each process that is forked a file of its own for what it prints."""
    _on_fork(_print_to_own_file)
    structlog.contextvars.bind_contextvars(source="app")
    setup_otel()


def _print_to_own_file(**_: object) -> None:
    # Containers have one stdout for all processes, which does not say whose line it is.
    name = os.path.join(os.environ["PRINTED"], str(os.getpid()))  # noqa: PTH118 - a string is enough
    file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)


def _on_fork(call: object) -> None:
    try:
        import uwsgi  # noqa: PLC0415 - it is there under uWSGI alone
        from uwsgidecorators import postfork  # noqa: PLC0415
    except ImportError:
        from celery.signals import worker_process_init  # noqa: PLC0415

        worker_process_init.connect(call, weak=False)
        return
    call() if uwsgi.worker_id() else postfork(call)

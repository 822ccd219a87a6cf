"""
Users of a site: `python -m tests.bench.load PORT RATE REQUESTS SEED` prints the ms of each request as JSON.

They come when they come, not when the one before has been answered: at random instants, the same for the same SEED. A
request's time begins at that instant, so what waits for a late answer counts too. With a RATE of 0 four users ask
without pause.
"""

import asyncio
import json
import os
import random
import sys
import time
from typing import Final

BODY: Final = json.dumps(
    {
        "uuid": "20d23f12-6743-486c-a1f2-c31c5c6a86f9",
        "identificatie": "ZAAK-2025-0000000001",
        "vertrouwelijkheidaanduiding": "openbaar",
        "startdatum": "2025-05-19",
        "toelichting": "Aanvraag van een vergunning",
    }
).encode()
HEAD: Final = (
    "POST /zaken/?page=2 HTTP/1.0",
    "Host: localhost",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Content-Type: application/json",
    f"Content-Length: {len(BODY)}",
    "\r\n",
)
REQUEST: Final = "\r\n".join(HEAD).encode() + BODY
USERS: Final = 4


async def ask(port: int, since: float) -> float:
    """Send one request, and return the ms from *since* until it is answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(REQUEST)
    answer = await reader.read(-1)
    took = time.perf_counter() - since
    writer.close()
    assert b" 201 " in answer[:20], answer
    return took * 1000


async def arrive(port: int, rate: float, requests: int, seed: int) -> list[float]:
    """Let so many users come, *rate* a second."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    due = time.perf_counter()
    tasks = []
    for _ in range(requests):
        due += chance.expovariate(rate)
        await asyncio.sleep(due - time.perf_counter())
        tasks.append(asyncio.create_task(ask(port, due)))
    return await asyncio.gather(*tasks)


async def press(port: int, requests: int) -> list[float]:
    """Let four users ask, each again when it was answered."""

    async def user() -> list[float]:
        return [await ask(port, time.perf_counter()) for _ in range(requests // USERS)]

    return [took for found in await asyncio.gather(*(user() for _ in range(USERS))) for took in found]


if __name__ == "__main__":
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    port, rate, requests, seed = (int(argument) for argument in sys.argv[1:])
    work = arrive(port, rate, requests, seed) if rate else press(port, requests)
    print(json.dumps(asyncio.run(work)))  # noqa: T201 - for its parent

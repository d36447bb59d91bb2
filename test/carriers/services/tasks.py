"""
tasks.py aiohttp|asyncio|uvloop PORT BACKEND_PORT: an asyncio service; the last two are uvicorn on that loop.

GET /m/<mark> makes eight calls, GET /m/<mark>/<n>: one after another with a sleep between, three at once, one in a task
made by a task, one under wait_for, one in a thread. Beside it, tasks of no request call /m/B<n>.
"""
import asyncio
import http.client
import random
import sys

import aiohttp

kind, port, backend = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
session = None
tasks = set()


async def call(path):
    async with session.get(f"http://127.0.0.1:{backend}{path}") as response:
        await response.read()


def blocking_call(path):
    connection = http.client.HTTPConnection("127.0.0.1", backend)
    connection.request("GET", path)
    connection.getresponse().read()
    connection.close()


async def middle(path):
    await asyncio.sleep(0.001)
    await asyncio.create_task(call(path))


async def work(mark):
    await call(f"/m/{mark}/0")
    await asyncio.sleep(random.random() / 500)
    await call(f"/m/{mark}/1")
    await asyncio.gather(*(call(f"/m/{mark}/{n}") for n in (2, 3, 4)))
    await asyncio.create_task(middle(f"/m/{mark}/5"))
    await asyncio.wait_for(call(f"/m/{mark}/6"), 10)
    if sys.version_info >= (3, 9):
        await asyncio.to_thread(blocking_call, f"/m/{mark}/7")


async def background(number):
    while True:
        await asyncio.sleep(random.random() / 50)
        await call(f"/m/B{number}/0")


async def start(*_):
    global session
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
    for number in range(2):
        tasks.add(asyncio.create_task(background(number)))


async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await start()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    await work(scope["path"].split("/")[2])
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


if kind == "aiohttp":
    from aiohttp import web

    async def handle(request):
        await work(request.match_info["mark"])
        return web.Response(text="ok")

    app = web.Application()
    app.add_routes([web.get("/m/{mark}", handle)])
    app.on_startup.append(start)
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None, backlog=512)
else:
    import uvicorn

    uvicorn.run(asgi, host="127.0.0.1", port=port, loop=kind, log_level="error", access_log=False, backlog=512)

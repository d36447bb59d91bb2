"""asyncio: asyncio_app.py SERVER WORK…

SERVER: aiohttp, uvicorn (on asyncio's loop) or uvloop (uvicorn on uvloop's). WORK, in the order of the names below:
row, sleep, gather, task, group, nest, wait: the request's own calls and those of tasks that it waits for; late: a task
that outlives the request; thread: asyncio.to_thread; executor: run_in_executor; queue: by tasks that live for ever;
background: calls of nobody. fresh: a new connection for each call; limit: four connections for all.
"""
import asyncio
import os
import random
import sys

import aiohttp
import blocking

SERVER, WORK = sys.argv[1], set(sys.argv[2:])
BACKEND = "http://127.0.0.1:%d" % blocking.BACKEND
session = None
jobs = None
kept = set()


async def call(marker, number):
    async with session.get("%s/m/%s/%d" % (BACKEND, marker, number)) as answer:
        await answer.read()


async def after_a_pause(most, marker, number):
    await asyncio.sleep(random.random() * most)
    await call(marker, number)


async def nested(marker, number):
    await asyncio.sleep(0.001)
    await asyncio.gather(call(marker, number), call(marker, number + 1))


async def work(marker):
    if "row" in WORK:
        await call(marker, 1)
        await call(marker, 2)
    if "sleep" in WORK:
        await call(marker, 3)
        await asyncio.sleep(random.random() * 0.005)
        await call(marker, 4)
    if "gather" in WORK:
        await asyncio.gather(*(call(marker, number) for number in (5, 6, 7)))
    if "task" in WORK:
        task = asyncio.create_task(call(marker, 8))
        await asyncio.sleep(0.001)
        await task
    if "group" in WORK:
        async with asyncio.TaskGroup() as group:
            group.create_task(call(marker, 9))
            group.create_task(call(marker, 10))
    if "nest" in WORK:
        await asyncio.create_task(nested(marker, 11))
    if "wait" in WORK:
        await asyncio.wait_for(call(marker, 13), 20)
    if "queue" in WORK:
        done = asyncio.get_running_loop().create_future()
        jobs.put_nowait((marker, done))
        await done
    if "executor" in WORK:
        await asyncio.get_running_loop().run_in_executor(None, blocking.call, marker, 14)
    if "thread" in WORK:
        await asyncio.to_thread(blocking.call, marker, 15)
    if "late" in WORK:
        keep(after_a_pause(0.01, marker, 16))


def keep(coroutine):
    task = asyncio.create_task(coroutine)
    kept.add(task)
    task.add_done_callback(kept.discard)


async def worker():
    while True:
        marker, done = await jobs.get()
        await call(marker, 20)
        done.set_result(None)


async def background(who):
    number = 0
    while True:
        await asyncio.sleep(random.uniform(0.006, 0.02))
        number += 1
        await call("B%d-%d" % (who, number), 1)


async def start(_=None):
    global session, jobs
    limit = 4 if "limit" in WORK else 0
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=limit, force_close="fresh" in WORK))
    jobs = asyncio.Queue()
    if "queue" in WORK:
        for _ in range(8):
            keep(worker())
    if "background" in WORK:
        for who in range(3):
            keep(background(who))


def serve_aiohttp(port):
    from aiohttp import web

    async def handle(request):
        marker = request.match_info["marker"]
        await work(marker)
        return web.Response(body=blocking.body_of(marker), content_type="application/json")

    app = web.Application()
    app.add_routes([web.get("/m/{marker}", handle)])
    app.on_startup.append(start)
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None, backlog=1024)


async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            event = (await receive())["type"]
            if event.endswith("startup"):
                await start()
            await send({"type": event + ".complete"})
            if event.endswith("shutdown"):
                return
    marker = blocking.marker_of(scope["path"])
    await work(marker)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": blocking.body_of(marker)})


def serve_uvicorn(port, loop):
    import uvicorn

    uvicorn.run(application, host="127.0.0.1", port=port, loop=loop, log_level="error", access_log=False, backlog=1024)


if SERVER == "aiohttp":
    serve_aiohttp(int(os.environ["PORT"]))
else:
    serve_uvicorn(int(os.environ["PORT"]), "uvloop" if SERVER == "uvloop" else "asyncio")

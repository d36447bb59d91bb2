"""FastAPI with a plain `def` endpoint, which runs in one of anyio's worker threads."""
import os

import blocking
import uvicorn
from fastapi import FastAPI, Response

app = FastAPI()


@app.get("/m/{marker}")
def endpoint(marker: str):
    blocking.start_background()
    blocking.work(marker)
    return Response(blocking.body_of(marker), media_type="application/json")


uvicorn.run(
    app, host="127.0.0.1", port=int(os.environ["PORT"]), loop="asyncio", log_level="error", access_log=False,
    backlog=1024)

import { debianPython, servePython } from '../python.js'
import { certain, type Workload } from '../workload.js'

export const fastapi: Workload = {
  name: 'fastapi-def',
  carrier: 'asyncio, threads',
  about: "FastAPI's plain `def` endpoints on anyio's worker threads, background",
  needs: debianPython('fastapi', 'uvicorn'),
  concurrency: [1, 10, 100],
  goal: certain,
  start: lab => servePython(lab, 'fastapi_app'),
}

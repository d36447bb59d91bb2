// load.mjs PORT CONCURRENCY REQUESTS KEEPALIVE: GET /m/R<n>, CONCURRENCY at a time; prints how many were answered.
import { Agent, get } from 'node:http'

const [port, concurrency, requests, keepAlive] = process.argv.slice(2).map(Number)
const agent = new Agent({ keepAlive: keepAlive === 1, maxSockets: concurrency })
let next = 0
let answered = 0
const ask = path =>
  new Promise(resolve => {
    get({ host: '127.0.0.1', port, path, agent }, response => {
      response.resume()
      response.on('end', () => resolve(response.statusCode === 200))
      response.on('error', () => resolve(false))
    }).on('error', () => resolve(false))
  })
await Promise.all(
  Array.from({ length: concurrency }, async () => {
    while (next < requests) if (await ask(`/m/R${next++}`)) answered++
  }),
)
agent.destroy()
console.log(answered)

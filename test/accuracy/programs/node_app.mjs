// node_app.mjs WORK…: row, timer, callback, immediate, file, background; fresh: a new connection for each call
import fs from 'node:fs/promises'
import http from 'node:http'

const work = new Set(process.argv.slice(2))
const { PORT, BACKEND_PORT } = process.env
const agent = new http.Agent({ keepAlive: !work.has('fresh'), maxSockets: 400 })

function callThen(marker, number, then) {
  const path = `/m/${marker}/${number}`
  const request = http.get({ host: '127.0.0.1', port: BACKEND_PORT, path, agent }, answer => {
    answer.resume()
    answer.on('end', then)
  })
  request.on('error', then)
}

const call = (marker, number) => new Promise(resolve => callThen(marker, number, resolve))
const nap = () => new Promise(resolve => setTimeout(resolve, Math.random() * 5))

async function handle(marker) {
  if (work.has('row')) {
    await call(marker, 1)
    await Promise.all([call(marker, 2), call(marker, 3)])
    await call(marker, 4)
  }
  if (work.has('timer')) {
    await call(marker, 5)
    await nap()
    await Promise.all([call(marker, 6), call(marker, 7)])
    await call(marker, 8)
  }
  if (work.has('callback')) {
    await new Promise(resolve => {
      callThen(marker, 9, () => setTimeout(() => callThen(marker, 10, resolve), Math.random() * 5))
    })
  }
  if (work.has('immediate')) {
    await call(marker, 11)
    await new Promise(resolve => setImmediate(resolve))
    await call(marker, 12)
  }
  if (work.has('file')) {
    await call(marker, 13)
    await fs.readFile('/etc/hostname')
    await call(marker, 14)
  }
}

if (work.has('background')) {
  for (let who = 0; who < 3; who++) {
    let number = 0
    const again = () => callThen(`B${who}-${number++}`, 1, () => setTimeout(again, 4 + Math.random() * 12))
    again()
  }
}

http
  .createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    const marker = request.url.split('/')[2]
    handle(marker).then(() => response.end(JSON.stringify({ m: marker })))
  })
  .listen({ port: Number(PORT), host: '127.0.0.1', backlog: 1024 })

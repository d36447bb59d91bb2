// A backend that answers after 0 to 4 ms, and prints its port.
import { createServer } from 'node:http'

const server = createServer((request, response) => {
  request.resume()
  setTimeout(() => response.end('{"done": true}'), Math.random() * 4)
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => console.log(server.address().port))

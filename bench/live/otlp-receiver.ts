import { createServer } from 'node:http2'
import type { AddressInfo } from 'node:net'

/**
 * The cheapest thing that an OTLP/gRPC exporter takes for a collector: every export is answered with an empty
 * ExportTraceServiceResponse and thrown away. Run as a process of its own; prints its port, ends with its parent.
 */
const EMPTY_MESSAGE = Buffer.alloc(5)

const server = createServer({ settings: { initialWindowSize: 1 << 24, maxFrameSize: 1 << 20 } })
server.on('session', session => session.setLocalWindowSize(1 << 26))
server.on('stream', stream => {
  stream.resume()
  stream.on('end', () => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.end(EMPTY_MESSAGE)
  })
  stream.on('error', () => {})
})
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
process.stdin.on('end', () => process.exit(0)).resume()

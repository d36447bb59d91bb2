import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { createSpanConverter } from '../../src/export/exported-span.js'
import type { FinishedTrace } from '../../src/traces/span.js'

const BATCH = 2_048

/** Bytes of these spans as OTLP protobuf, uncompressed, as OpenTelemetry's own exporter sends them in batches. */
export async function otlpBytes(traces: readonly FinishedTrace[]): Promise<number> {
  let bytes = 0
  const server = createServer((request, response) => {
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
    })
    request.on('end', () => response.writeHead(200).end())
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const exporter = new OTLPTraceExporter({ url: `http://127.0.0.1:${port}/v1/traces` })
  const converter = createSpanConverter({ version: 'bench' })
  const spans = traces.flatMap(trace => trace.spans.map(span => converter.convert(span)))
  try {
    for (let at = 0; at < spans.length; at += BATCH) {
      await new Promise<void>((resolve, reject) =>
        exporter.export(spans.slice(at, at + BATCH), result => {
          if (result.code === 0) resolve()
          else reject(result.error ?? new Error('the export failed'))
        }),
      )
    }
    return bytes
  } finally {
    await exporter.shutdown()
    server.closeAllConnections()
    server.close()
  }
}

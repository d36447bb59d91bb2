import type { MergedSketch } from '../archive/queries/read-sketches.js'
import { latencyQuantile } from '../capture/call-sketch-layout.js'
import { type CallFigures, callFigures, grouped, percentText, rateText } from './sketch-figures.js'

/** Calls of a service, or of it with one peer, as the kernel counted them. */
export interface KernelLine extends CallFigures {
  readonly service: string
  /** '' where all peers are together. */
  readonly peer: string
  /** `in`, `out` or `unknown`. */
  readonly direction: string
  /** Sends and receives that moved bytes, and those of them that were not copied. */
  readonly socketCalls: number
  readonly uncopiedCalls: number
  readonly connections: number
  /** Requests are counted where it is known who asks. */
  readonly bytesPerSecond: number
}

export function kernelLines(sketches: readonly MergedSketch[], seconds: number, edges: boolean): KernelLine[] {
  const key = (sketch: MergedSketch): string => JSON.stringify([sketch.service, edges ? sketch.name : '', sketch.class])
  return [...grouped(sketches, key).values()].map(group => {
    const counted = (name: string): number =>
      group.reduce((sum, { items }) => sum + (items.find(({ item }) => item === name)?.count ?? 0), 0)
    const figures = callFigures(group, seconds, ({ indexes, counts }, share) => latencyQuantile(indexes, counts, share))
    return {
      ...{ service: group[0]!.service, peer: edges ? group[0]!.name : '', direction: group[0]!.class },
      ...figures,
      ...{ socketCalls: counted('socket_calls'), uncopiedCalls: counted('uncopied_calls') },
      ...{ connections: counted('connections') },
      bytesPerSecond: (figures.requestBytes + figures.responseBytes) / Math.max(seconds, 0.001),
    }
  })
}

export async function kernelTable(lines: readonly KernelLine[], edges: boolean): Promise<string> {
  const { formatDuration } = await import('../export/durations.js')
  const { textTable } = await import('./text-table.js')
  const right = (title: string) => ({ title, align: 'right' as const })
  return textTable(
    [
      ...[{ title: 'SERVICE' }, ...(edges ? [{ title: 'PEER' }] : []), { title: 'DIRECTION' }],
      ...['REQUESTS/S', 'P50', 'P99', 'SOCKET CALLS', 'NOT COPIED', 'FAILED', 'BYTES/S', 'CONNECTIONS'].map(right),
    ],
    lines.map(line => [
      ...[line.service, ...(edges ? [line.peer] : []), line.direction, rateText(line.perSecond)],
      ...(line.calls === 0 ? ['', ''] : [formatDuration(line.p50Ns), formatDuration(line.p99Ns)]),
      ...[String(line.socketCalls), percentText(line.uncopiedCalls, line.socketCalls)],
      ...[line.errors === 0 ? '' : String(line.errors), rateText(line.bytesPerSecond), String(line.connections)],
    ]),
  )
}

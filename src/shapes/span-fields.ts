import { SERVER_HIGH, SERVER_LOW } from '../traces/ids.js'
import type { FinishedSpan } from '../traces/span.js'

export type FieldValue = string | number | boolean

/**
 * What a span has beside its attributes, place in the tree and times, as one flat list. The number is its place in
 * `factsOf`; `parent` names the fact of the parent that it often equals: the server's remote end is its client's local.
 */
export const FACTS = [
  { name: 'pid', stream: 'threads', parent: 0 },
  { name: 'tid', stream: 'threads', parent: 1 },
  { name: 'carrier', stream: 'threads', parent: 2 },
  { name: 'responseNs', stream: 'responses', parent: -1 },
  { name: 'requestBytes', stream: 'sizes', parent: 4 },
  { name: 'responseBytes', stream: 'sizes', parent: 5 },
  { name: 'localAddress', stream: 'texts', parent: 8 },
  { name: 'localPort', stream: 'ports', parent: 9 },
  { name: 'remoteAddress', stream: 'texts', parent: 6 },
  { name: 'remotePort', stream: 'ports', parent: 7 },
  { name: 'requestPosition', stream: 'positions', parent: 10 },
  { name: 'ordinal', stream: 'ordinals', parent: 11 },
  { name: 'message', stream: 'texts', parent: 12 },
  { name: 'evidence', stream: 'texts', parent: -1 },
  { name: 'confidence', stream: 'texts', parent: -1 },
  { name: 'strengths', stream: 'numbers', parent: -1 },
  { name: 'alternatives', stream: 'texts', parent: -1 },
  { name: 'links', stream: 'texts', parent: -1 },
  { name: 'outerParent', stream: 'texts', parent: -1 },
] as const

export type Stream = 'threads' | 'responses' | 'sizes' | 'ports' | 'positions' | 'ordinals' | 'numbers' | 'texts'

export const NUMBER_STREAMS = ['threads', 'responses', 'sizes', 'ports', 'positions', 'ordinals', 'numbers'] as const

/** Attributes that say what the sample says already, by the numbers of the facts that they may be. */
export const ATTRIBUTE_FACTS: ReadonlyMap<string, readonly number[]> = new Map([
  ['process.pid', [0]],
  ['thread.id', [1]],
  ['network.peer.port', [9]],
  ['network.peer.address', [8]],
  ['network.local.port', [7]],
  ['network.local.address', [6]],
  ['client.address', [8]],
  ['client.port', [9]],
  ['server.address', [8, 6]],
  ['server.port', [9, 7]],
  ['ghostspan.link.evidence', [13]],
  ['ghostspan.link.confidence', [14]],
])

/** The values of FACTS. `outside` is the parent that is not in the trace. */
export function factsOf(span: FinishedSpan, outside: string, into: FieldValue[]): void {
  const { sample, link, links } = span
  into[0] = sample.pid
  into[1] = sample.tid
  into[2] = sample.carrier
  into[3] = sample.responseNs
  into[4] = sample.requestBytes
  into[5] = sample.responseBytes
  endpoint(sample.local, into, 6)
  endpoint(sample.remote, into, 8)
  into[10] = sample.requestPosition
  into[11] = sample.ordinal
  into[12] = span.status.message
  into[13] = link === undefined ? '' : link.evidence
  into[14] = link === undefined ? 0 : link.confidence
  into[15] = link === undefined ? 0 : packed(link.strengths)
  into[16] = link === undefined || link.alternatives.length === 0 ? '' : JSON.stringify(link.alternatives)
  into[17] = links.length === 0 ? '' : JSON.stringify(links)
  into[18] = outside
}

function endpoint(text: string, into: FieldValue[], at: number): void {
  const colon = text.lastIndexOf(':')
  const digits = text.length - colon - 1
  let port = 0
  if (colon >= 0 && digits > 0 && digits < 6 && text.charCodeAt(colon + 1) !== 48) {
    for (let i = colon + 1; i < text.length; i++) {
      const digit = text.charCodeAt(i) - 48
      if (digit < 0 || digit > 9) {
        port = 0
        break
      }
      port = port * 10 + digit
    }
  }
  const split = port > 0 && port < 65_536
  into[at] = split ? text.slice(0, colon) : text
  into[at + 1] = split ? port : 0
}

type Strengths = NonNullable<FinishedSpan['link']>['strengths']

const eighth = (strength: number): number => Math.round(Math.min(1, Math.max(0, strength)) * 255)

/** As the archive keeps strengths: eight bits each. */
function packed({ wire, context, content, time }: Strengths): number {
  return eighth(wire) + eighth(context) * 256 + eighth(content) * 65_536 + eighth(time) * 16_777_216
}

export function unpacked(strengths: number): Strengths {
  const at = (shift: number): number => ((strengths >>> shift) & 255) / 255
  return { wire: at(0), context: at(8), content: at(16), time: at(24) }
}

/** The id of the other end: client to server and back. */
export function otherEndId(id: string): string {
  const high = (Number.parseInt(id.slice(0, 8), 16) ^ SERVER_HIGH) >>> 0
  const low = (Number.parseInt(id.slice(8), 16) ^ SERVER_LOW) >>> 0
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0')
}

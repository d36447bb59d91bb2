import type { HeaderReceiver } from './header-decoder.js'

/** What is wanted of a header block. No other value is ever decoded into a text. */
const KEPT = new Set([
  ':method',
  ':path',
  ':authority',
  ':scheme',
  ':status',
  'host',
  'content-type',
  'content-length',
  'user-agent',
  'traceparent',
  'b3',
  'x-request-id',
  'x-openstack-request-id',
  'grpc-status',
])
export const isKept = (name: string): boolean => KEPT.has(name)

/** The fields of one header block. One object serves all blocks: `clear` comes first. */
export class HeaderFields implements HeaderReceiver {
  readonly #values = new Map<string, string>()
  /** Fields whose name or value stands in a part of the table that was never seen. */
  unknowns = 0
  /** A field of gRPC's own was there. */
  grpc = false
  /** Pseudo-header fields, which trailers never have (RFC 9113, 8.1), and all fields. */
  pseudo = 0
  count = 0
  /** The first field's name is not known. */
  beginsUnknown = false

  clear(): void {
    this.#values.clear()
    this.unknowns = 0
    this.grpc = false
    this.pseudo = 0
    this.count = 0
    this.beginsUnknown = false
  }

  header(name: string, value: string | undefined): void {
    this.count++
    if (name.charCodeAt(0) === COLON) this.pseudo++
    else if (name.startsWith('grpc-')) this.grpc = true
    // The first of several counts, as servers do with what ought to be there once.
    if (value !== undefined && KEPT.has(name) && !this.#values.has(name)) this.#values.set(name, value)
  }

  unknown(): void {
    if (this.count === 0) this.beginsUnknown = true
    this.count++
    this.unknowns++
  }

  get(name: string): string | undefined {
    return this.#values.get(name)
  }

  /** `:status`; 0 if it is not there, or not known. */
  get status(): number {
    const status = this.#values.get(':status')
    return status !== undefined && /^[1-9]\d\d$/.test(status) ? Number(status) : 0
  }

  /** `content-length`; -1 if it is not there, or makes no sense. */
  get contentLength(): number {
    const length = this.#values.get('content-length')
    return length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : -1
  }
}

const COLON = 0x3a

import { EventFlag, Op } from '../capture/event-layout.js'
import type { EventReader } from '../capture/event-reader.js'
import { InputStream } from '../protocols/input-stream.js'
import type { ProtocolConnection, ProtocolModule, Sender } from '../protocols/protocol.js'
import type { RouteTemplates } from '../protocols/route-templates.js'
import { recogniseProtocol } from '../samples/recognition.js'
import { type Counters, createCounters } from '../telemetry/counters.js'
import { masks } from './masks.js'
import type { MaskOptions, ProtocolMask } from './protocol-mask.js'
import type { Pseudonyms } from './pseudonyms.js'
import { RequestWatch } from './request-watch.js'

const TWO_32 = 4_294_967_296
/** As in src/samples/connection-driver.ts: what is left alone there need not be readable here. */
const BOUNDED_LOOK = 8
const BOUNDED_LOOK_JOINED = 64
const LONGEST_LOOK = 256

const NOTHING = new Uint8Array(0)
const NO_ROUTES: RouteTemplates = { template: path => path }

/** The module that reads a connection, and the mask that goes with it. */
interface Reading {
  readonly module: ProtocolModule
  readonly protocol: ProtocolConnection
  readonly mask: ProtocolMask | undefined
}

/**
 * One end of a connection on its way through redaction. It recognises the protocol as the connection driver does, with
 * the same modules, and lets the module read the unmasked bytes along: so a replay meets a change of the protocol, or
 * bytes that make no sense, where the capture did. What is shown decides the mask alone.
 */
export class MaskedConnection {
  role: 'client' | 'server' | 'unknown'
  readonly #modules: readonly ProtocolModule[]
  readonly #pseudonyms: Pseudonyms
  readonly #client = new InputStream()
  readonly #server = new InputStream()
  #clientStarted = false
  #serverStarted = false
  #joined: boolean
  #reading: Reading | undefined
  #unrecognised = 0
  #restarts = 0
  #opaque = false

  constructor(
    role: 'client' | 'server' | 'unknown',
    joined: boolean,
    modules: readonly ProtocolModule[],
    pseudonyms: Pseudonyms,
  ) {
    this.role = role
    this.#joined = joined
    this.#modules = modules
    this.#pseudonyms = pseudonyms
  }

  get recognised(): boolean {
    return this.#reading !== undefined
  }

  close(): void {
    this.#reading?.protocol.close()
  }

  /** Writes what may be shown of the record's payload to the same places in `out`, where it is all blanked so far. */
  data(record: EventReader, out: Uint8Array): void {
    if (this.#opaque || record.length < 0) return
    const isSend = record.op === Op.send
    if (this.role === 'unknown' && !this.#findRole(record, isSend)) return
    const sender: Sender = isSend === (this.role === 'client') ? 'client' : 'server'
    if (!this.#place(sender, record)) return
    const stream = this.#stream(sender)
    if ((record.flags & EventFlag.eof) !== 0 || record.length === 0) {
      stream.ended = true
      if (this.#reading !== undefined) this.#read(sender)
      return
    }
    this.#call(sender, record, out)
    stream.settle()
  }

  #call(sender: Sender, record: EventReader, out: Uint8Array): void {
    const { payload: head, headLength, tailLength, length, timeNs } = record
    const tail = head + headLength
    const hole = length - headLength - tailLength
    const end = tail + tailLength
    // A mask gets a call that was copied whole as one: it need not guess at what it can see.
    const reading = this.#reading
    const maskedTo = reading === undefined ? head : hole > 0 ? tail : end
    this.#mask(sender, record, head, maskedTo, out)
    if (headLength > 0) this.#push(sender, record, head, tail, out)
    if (hole > 0) this.#hole(sender, hole, timeNs, headLength > 0 || tailLength === 0)
    if (tailLength === 0) return
    if (maskedTo <= tail || this.#reading !== reading) this.#mask(sender, record, tail, end, out)
    this.#push(sender, record, tail, end, out)
  }

  #stream(sender: Sender): InputStream {
    return sender === 'client' ? this.#client : this.#server
  }

  #place(sender: Sender, record: EventReader): boolean {
    const stream = this.#stream(sender)
    const started = sender === 'client' ? this.#clientStarted : this.#serverStarted
    if (!started) {
      if (sender === 'client') this.#clientStarted = true
      else this.#serverStarted = true
      stream.position = record.position
      if (record.position === 0) return true
      this.#joined = true
      this.#enter(sender, record)
      return true
    }
    const expected = stream.position + stream.available + stream.hole
    const ahead = (record.position - (expected % TWO_32)) | 0
    if (ahead > 0) this.#hole(sender, ahead, record.timeNs, this.#reading !== undefined)
    return ahead >= 0
  }

  /** A direction whose first bytes were lost: what comes is read from where it looks like a beginning. */
  #enter(sender: Sender, { bytes, payload, headLength, position }: EventReader): void {
    if (this.#reading === undefined) return
    const { module, mask } = this.#reading
    const { match, sender: told } = module.detect(bytes, payload, payload + Math.min(headLength, LONGEST_LOOK))
    if (match === 'no' || (told !== undefined && told !== sender)) mask?.[sender].hole(position)
  }

  #hole(sender: Sender, count: number, timeNs: number, reads: boolean): void {
    this.#stream(sender).pushHole(count, timeNs)
    this.#reading?.mask?.[sender].hole(count)
    if (reads) this.#read(sender)
  }

  #mask(sender: Sender, record: EventReader, start: number, end: number, out: Uint8Array): void {
    const mask = this.#reading?.mask
    if (mask === undefined || start >= end) return
    out.set(record.bytes.subarray(start, end), start)
    mask[sender].pass(out, start, end)
  }

  #push(sender: Sender, record: EventReader, start: number, end: number, out: Uint8Array): void {
    this.#stream(sender).push(record.bytes, start, end, record.timeNs)
    this.#read(sender, end - start, out, end)
  }

  /** The module reads along. Of what it reads, the last `added` bytes have just come: they belong in front of out[end]. */
  #read(sender: Sender, added = 0, out: Uint8Array = NOTHING, end = 0): void {
    const reading = this.#reading
    const stream = this.#stream(sender)
    const { position } = stream
    if (reading === undefined) {
      if (!this.#recognise(sender, added, out, end)) return
    } else reading.protocol.read(sender, stream)
    if (this.#reading?.protocol.failed !== true) return
    const hasRead = stream.position !== position
    this.#restart(sender, hasRead)
    // What stands behind an answer that switches protocols is the new protocol's.
    if (hasRead && !this.#opaque && stream.available > 0) {
      this.#read(sender, Math.min(added, stream.available), out, end)
    }
  }

  /** @param added bytes that have just come; they belong to out[end - added, end). */
  #recognise(sender: Sender, added: number, out: Uint8Array, end: number): boolean {
    const stream = this.#stream(sender)
    if (stream.available === 0) {
      stream.resume()
      return false
    }
    const found = recogniseProtocol(this.#modules, stream, sender)
    if (found === undefined) {
      stream.resume()
      if (++this.#unrecognised >= (this.#joined ? BOUNDED_LOOK_JOINED : BOUNDED_LOOK)) this.#opaque = true
      return false
    }
    const module = found === 'wait' ? this.#likely(sender) : found
    const mask = module === undefined ? undefined : this.#createMask(module, sender)
    const other: Sender = sender === 'client' ? 'server' : 'client'
    const held = this.#stream(other)
    const otherFirst = found !== 'wait' && held.available > 0 && held.timeNs < stream.timeNs
    if (otherFirst) passAgain(mask, other, held)
    const shown = passAgain(mask, sender, stream)
    const count = Math.min(added, shown.length)
    if (count > 0) out.set(shown.subarray(shown.length - count), end - count)
    if (found === 'wait') return false
    if (held.available > 0 && !otherFirst) passAgain(mask, other, held)
    const protocol = this.#adopt(found, mask)
    if (otherFirst) protocol.read(other, held)
    protocol.read(sender, stream)
    if (held.available > 0 && !otherFirst) protocol.read(other, held)
    return true
  }

  /** What the first bytes may become: of them a mask shows only what every message of the protocol has. */
  #likely(sender: Sender): ProtocolModule | undefined {
    const { bytes, start, end } = this.#stream(sender)
    return this.#modules.find(module => {
      if (!masks.has(module.name)) return false
      const detection = module.detect(bytes, start, Math.min(end, start + LONGEST_LOOK))
      return detection.match === 'maybe' && (detection.sender === undefined || detection.sender === sender)
    })
  }

  #createMask(module: ProtocolModule, sender: Sender): ProtocolMask | undefined {
    const joined = this.#joined
    const options: MaskOptions = {
      pseudonyms: this.#pseudonyms,
      joined,
      lost: { client: joined && sender !== 'client', server: joined && sender !== 'server' },
    }
    return masks.get(module.name)?.(options)
  }

  #adopt(module: ProtocolModule, mask: ProtocolMask | undefined): ProtocolConnection {
    this.#unrecognised = 0
    const protocol = module.open({
      sink: new RequestWatch({
        answerIsNext: () => mask?.answerIsNext?.(),
        answered: () => {
          this.#restarts = 0
        },
      }),
      counters: UNCOUNTED,
      joined: this.#joined,
      routes: NO_ROUTES,
    })
    this.#reading = { module, protocol, mask }
    return protocol
  }

  #restart(sender: Sender, hasRead: boolean): void {
    this.close()
    this.#reading = undefined
    this.#stream(sender === 'client' ? 'server' : 'client').resume()
    if (!hasRead) this.#stream(sender).resume()
    if (++this.#restarts >= BOUNDED_LOOK) this.#opaque = true
  }

  #findRole(record: EventReader, isSend: boolean): boolean {
    const start = record.payload
    for (const module of this.#modules) {
      const { match, sender } = module.detect(record.bytes, start, start + record.headLength)
      if (match !== 'yes' || sender === undefined) continue
      this.role = isSend === (sender === 'client') ? 'client' : 'server'
      return true
    }
    if (++this.#unrecognised >= BOUNDED_LOOK_JOINED) this.#opaque = true
    return false
  }
}

/** Lets a new mask read what is held of a direction; returns what of it may be shown. */
function passAgain(mask: ProtocolMask | undefined, sender: Sender, { bytes, start, end }: InputStream): Uint8Array {
  if (mask === undefined) return NOTHING
  const shown = bytes.slice(start, end)
  mask[sender].pass(shown, 0, shown.length)
  return shown
}

/** What modules count here has been counted where the capture was read. */
const UNCOUNTED: Counters = createCounters()

import type { InputStream } from '../input-stream.js'
import type { Sender } from '../protocol.js'
import {
  Flag,
  FRAME_HEADER,
  FrameType,
  frameFlags,
  frameType,
  isFrame,
  PREFACE,
  payloadLength,
  streamId,
  uint31,
} from './frames.js'
import { HeaderBlock, LONGEST_BLOCK } from './header-block.js'
import { HeaderDecoder } from './header-decoder.js'
import { HeaderFields, isKept } from './header-fields.js'
import { findFrames } from './resync.js'
import type { Streams } from './streams.js'

const Step = { begin: 0, frame: 1, payload: 2, lost: 3 } as const

/** Calls in a row that hold no frame after bytes that made no sense. */
const MOST_STRAY_CALLS = 16

/** Used by all connections: what they hold does not outlive one block. */
const block = new HeaderBlock()
const fields = new HeaderFields()

/** Reads the frames of one direction of a connection. */
export class FrameReader {
  /** A header block did not fit into what is copied. */
  sawCutBlock = false
  /** The module gives the connection up: this is not HTTP/2. */
  failed = false
  /** The direction was seen from its beginning. */
  fromTheStart = false

  #step: number = Step.begin
  #decoder: HeaderDecoder
  /** Bytes of an incomplete block that have been searched already. */
  #searched = 0
  /** Stream whose end the frame brings that is being passed; 0: none. */
  #ending = 0
  /** The block that was cut goes on in CONTINUATION frames, which are passed over. */
  #blockGoesOn = false
  #frames = 0
  #strayCalls = 0
  readonly #sender: Sender
  readonly #streams: Streams
  readonly #joined: boolean
  readonly #client: FrameReader | undefined

  /** @param client the other direction's reader, for the server's */
  constructor(sender: Sender, streams: Streams, joined: boolean, client?: FrameReader) {
    this.#sender = sender
    this.#streams = streams
    this.#joined = joined
    this.#client = client
    this.#decoder = new HeaderDecoder({ fresh: false, keeps: isKept })
  }

  read(stream: InputStream): void {
    while (!this.failed && this.#advance(stream));
    if (this.#sender === 'server') this.#streams.serverOffset = stream.position
  }

  /** One step; false when more bytes are needed. */
  #advance(stream: InputStream): boolean {
    if (stream.dropped > 0) {
      stream.dropped = 0
      if (this.#step === Step.begin) this.#step = Step.lost
      else this.#lose(stream, false)
    }
    switch (this.#step) {
      case Step.begin:
        return this.#begin(stream)
      case Step.frame:
        return this.#readFrame(stream)
      case Step.payload:
        return this.#endFrame(stream)
      default:
        return this.#findFrame(stream)
    }
  }

  /**
   * Whether the direction's beginning is here is told by its preface: the client's octets, the server's SETTINGS (RFC
   * 9113, 3.4). Only then is the table of header fields known to be empty.
   */
  #begin(stream: InputStream): boolean {
    const { bytes, start, end } = stream
    const needed = this.#sender === 'client' ? PREFACE.length : FRAME_HEADER
    const available = Math.min(end - start, needed)
    if (available === 0 && stream.hole === 0) return false
    let fits = true
    if (this.#sender === 'client') for (let i = 0; i < available && fits; i++) fits = bytes[start + i] === PREFACE[i]
    else if (available === needed) fits = isServerPreface(bytes, start) && this.#isTheStart(stream)
    if (fits && available < needed && stream.hole === 0) return false
    if (fits && available === needed) {
      this.fromTheStart = true
      this.#decoder = new HeaderDecoder({ fresh: true, keeps: isKept })
      if (this.#sender === 'client') stream.consume(PREFACE.length)
      this.#step = Step.frame
      return true
    }
    if (!this.#joined && stream.position === 0 && available === needed) {
      this.#streams.count('no_preface')
      this.failed = true
      return false
    }
    this.#step = Step.lost
    return true
  }

  /** SETTINGS may come again later: of a connection that was joined they say nothing, unless the client's preface did. */
  #isTheStart(stream: InputStream): boolean {
    return !this.#joined || stream.position === 0 || this.#client?.fromTheStart === true
  }

  #readFrame(stream: InputStream): boolean {
    const { bytes, start } = stream
    if (stream.available < FRAME_HEADER) {
      if (stream.hole > 0) this.#lose(stream, false)
      return false
    }
    const type = frameType(bytes, start)
    if (this.#blockGoesOn && type === FrameType.continuation) {
      this.#blockGoesOn = (frameFlags(bytes, start) & Flag.endHeaders) === 0
      return this.#pass(stream, 0)
    }
    if (!isFrame(bytes, start)) {
      this.#notAFrame(stream)
      return false
    }
    this.#blockGoesOn = false
    switch (type) {
      case FrameType.headers:
      case FrameType.pushPromise:
        return this.#readBlock(stream)
      case FrameType.data:
        return this.#readData(stream)
      case FrameType.resetStream:
      case FrameType.goAway:
        return this.#readEnd(stream)
      default:
        return this.#pass(stream, 0)
    }
  }

  #readData(stream: InputStream): boolean {
    const { bytes, start } = stream
    const flags = frameFlags(bytes, start)
    const length = payloadLength(bytes, start)
    const id = streamId(bytes, start)
    let padding = 0
    if ((flags & Flag.padded) !== 0 && length > 0) {
      if (stream.available > FRAME_HEADER) padding = 1 + bytes[start + FRAME_HEADER]!
      else if (stream.hole === 0) return false
    }
    this.#streams.data(this.#sender, id, Math.max(0, length - padding), stream.position)
    return this.#pass(stream, (flags & Flag.endStream) !== 0 ? id : 0)
  }

  /** RST_STREAM, GOAWAY: the last four bytes of what is needed may be in a hole. */
  #readEnd(stream: InputStream): boolean {
    const { bytes, start } = stream
    const seen = stream.available >= FRAME_HEADER + 4
    if (!seen && stream.hole === 0) return false
    const value = seen ? uint31(bytes, start + FRAME_HEADER) : -1
    const id = streamId(bytes, start)
    const isReset = frameType(bytes, start) === FrameType.resetStream
    const offset = stream.position
    const passed = this.#pass(stream, 0)
    if (isReset) this.#streams.reset(this.#sender, id, value, passed ? stream.position : offset)
    else if (seen && this.#sender === 'server') this.#streams.goAway(value)
    return passed
  }

  #readBlock(stream: InputStream): boolean {
    const { bytes, start, end } = stream
    const tooLong = stream.available > LONGEST_BLOCK
    if (stream.available < this.#searched && stream.hole === 0) return false
    const state = block.find(bytes, start, end)
    if (state === 'malformed') {
      this.#notAFrame(stream)
      return false
    }
    if (state === 'more' && stream.hole === 0 && !tooLong) {
      // While one frame's payload is still to come there is nothing new to be found.
      this.#searched = Math.min(block.end - start, LONGEST_BLOCK + 1)
      return false
    }
    this.#searched = 0
    this.#takeBlock(stream, state === 'whole')
    return !this.failed
  }

  #takeBlock(stream: InputStream, isThere: boolean): void {
    const { bytes, start } = stream
    const isPush = frameType(bytes, start) === FrameType.pushPromise
    const id = streamId(bytes, start)
    const endStream = !isPush && (frameFlags(bytes, start) & Flag.endStream) !== 0
    fields.clear()
    const state = this.#decoder.decode(block.bytes, block.blockStart, block.blockEnd, fields)
    if (state !== 'complete' && isThere) this.#streams.count('block_malformed')
    const whole = isThere && state === 'complete'
    if (!isThere) {
      this.#decoder.lose()
      this.sawCutBlock = true
      this.#streams.count('block_cut')
    }
    const place = { id, offset: stream.position, whole, endStream }
    if (isPush) this.#streams.count('push_promise')
    else if (this.#sender === 'client') this.#streams.requestHeaders(place, fields)
    else this.#streams.responseHeaders(place, fields)
    this.#frames++
    this.#strayCalls = 0
    const length = block.end - start
    const endsUnknown = !isThere && block.goesOn && block.endsUnknown
    this.#blockGoesOn = !isThere && block.goesOn
    stream.skip(endsUnknown ? stream.available : length)
    this.#ending = endStream ? id : 0
    this.#step = Step.payload
  }

  /** Passes the frame whose header is at the stream's start; `ending` is the stream that it ends, or 0. */
  #pass(stream: InputStream, ending: number): boolean {
    this.#frames++
    this.#strayCalls = 0
    this.#ending = ending
    this.#step = Step.payload
    stream.skip(FRAME_HEADER + payloadLength(stream.bytes, stream.start))
    return this.#endFrame(stream)
  }

  #endFrame(stream: InputStream): boolean {
    if (stream.skipping) return false
    this.#step = Step.frame
    const ending = this.#ending
    this.#ending = 0
    if (ending !== 0) this.#streams.endOf(this.#sender, ending, stream.position)
    return true
  }

  #notAFrame(stream: InputStream): void {
    this.#streams.count('not_a_frame')
    if (this.#frames === 0 && !this.#joined) this.failed = true
    else this.#lose(stream, true)
  }

  /** Frames are missing. @param stray the bytes that are here make no sense */
  #lose(stream: InputStream, stray: boolean): void {
    if (this.#step !== Step.lost) this.#streams.count('frames_lost')
    if (stray) this.#strayCalls++
    this.#decoder.lose()
    this.#searched = 0
    this.#ending = 0
    this.#blockGoesOn = false
    this.#step = Step.lost
    const { timeNs } = stream
    stream.resume()
    this.#streams.lost(this.#sender, stream.position, timeNs)
  }

  #findFrame(stream: InputStream): boolean {
    if (stream.available > 0) {
      const at = findFrames(stream.bytes, stream.start, stream.end, this.#streams)
      if (at >= 0) {
        // Taking nothing would forget when the frame's first bytes came.
        if (at > stream.start) stream.consume(at - stream.start)
        this.#step = Step.frame
        return true
      }
      if (stream.available < FRAME_HEADER && stream.hole === 0 && stream.bytes[stream.start] === 0) return false
      if (this.#strayCalls > 0 && ++this.#strayCalls > MOST_STRAY_CALLS) this.failed = true
    }
    stream.resume()
    return false
  }
}

/** SETTINGS that acknowledges nothing. */
const isServerPreface = (bytes: Uint8Array, start: number): boolean =>
  isFrame(bytes, start) && frameType(bytes, start) === FrameType.settings && (frameFlags(bytes, start) & Flag.ack) === 0

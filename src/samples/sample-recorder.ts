import type { EventReader } from '../capture/event-reader.js'
import type { ObservedProcess, Processes } from '../capture/processes.js'
import { Attribute } from '../protocols/attribute-names.js'
import type { Exchange } from '../protocols/protocol.js'
import type { Carriers } from './carriers.js'
import type { ConnectionState } from './connection-state.js'
import { detachedActivity, isWrittenLater, runsLoop } from './event-loop.js'
import type { RemoteCalls } from './remote-calls.js'
import type { Sample } from './sample.js'
import { wireKey } from './wire-key.js'

/** Whoever wants to know of samples as they begin and end: correlation. */
export interface SampleListener {
  begin(sample: Sample): void
  /** Its wire key has become known. */
  keyed(sample: Sample): void
  /** Complete, answered or not: nothing of it changes any more but its service name. */
  complete(sample: Sample): void
  /** All of its request has been seen: what identifies it is known. */
  requested(sample: Sample): void
}

/**
 * Makes samples of exchanges: attaches the context of the record that is being read, and tells the carriers what was
 * read and written.
 */
export interface SampleRecorder {
  begin(state: ConnectionState, exchange: Exchange, offset: number, ordinal: number, timeNs: number): Sample
  requestEnd(sample: Sample, offset: number): void
  responseBegin(sample: Sample, offset: number): void
  /** @param timeNs when the last byte was seen, if that was before the record that is being read. */
  end(sample: Sample, offset: number, timeNs?: number): void
  abandon(sample: Sample): void
  /** Its connection's key has become known. */
  keyed(sample: Sample): void
  readonly samples: number
}

export interface SampleRecorderOptions {
  /** The record that is being worked on. */
  readonly record: EventReader
  readonly processes: Processes
  readonly carriers: Carriers
  readonly remoteCalls: RemoteCalls
  readonly listener: SampleListener
}

export function createSampleRecorder(options: SampleRecorderOptions): SampleRecorder {
  const { record, processes, carriers, remoteCalls, listener } = options
  let serial = 0
  const isRequest = (sample: Sample): boolean => sample.side === 'server'

  const keySample = (sample: Sample): void => {
    const { keyLow, keyHigh, ownsLow } = sample.connection
    if (keyHigh === 0) return
    const fromLow = ownsLow === (sample.side === 'client')
    const key = wireKey(keyLow, keyHigh, fromLow, sample.requestPosition)
    // As signed numbers, which V8 keeps in the sample itself.
    sample.wireHigh = key.high | 0
    sample.wireLow = key.low | 0
  }
  const answered = (sample: Sample): void => {
    if (!isRequest(sample)) carriers.answerRead(sample, record.tid, record.carrier)
    else if (sample.exchange.shape === 'call') carriers.answerDone(sample, record.tid, record.carrier)
    else carriers.settled(sample, record.tid, record.carrier)
  }
  const requested = (sample: Sample): void => {
    // The broker's own ends only hand on.
    if (sample.exchange.shape === 'message' && sample.connection.role === 'client') {
      remoteCalls.seen(sample, record.tid, record.carrier)
    }
    listener.requested(sample)
  }
  const finish = (sample: Sample): void => {
    sample.complete = true
    if (sample.wireHigh === 0 && sample.wireLow === 0) keySample(sample)
    listener.complete(sample)
  }

  return {
    begin: (state, exchange, offset, ordinal, timeNs) => {
      const { connection } = state
      const outgoing = exchange.initiator === connection.role
      const process = processes.get(record.pid)
      connection.process = process
      const sample: Sample = {
        serial: ++serial,
        side: outgoing ? 'client' : 'server',
        kind: kindOf(exchange, outgoing),
        exchange,
        connection,
        process,
        service: '',
        tid: record.tid,
        carrier: record.carrier,
        activity: undefined,
        contextTrust: 1,
        wireHigh: 0,
        wireLow: 0,
        requestPosition: offset,
        ordinal,
        startNs: timeNs,
        requestEndNs: Number.NaN,
        responseStartNs: Number.NaN,
        endNs: timeNs,
        requestBytes: 0,
        responseBytes: 0,
        responseObserved: false,
        complete: false,
        traceId: '',
        answers: undefined,
        spanId: '',
        node: undefined,
      }
      keySample(sample)
      if (outgoing) {
        sample.activity = isWrittenLater(sample)
          ? detachedActivity(timeNs)
          : (connectingActivity(state, record, process) ??
            carriers.current(process, record.tid, record.carrier, timeNs))
        carriers.callMade(process, record.tid, record.carrier, sample.activity)
      } else {
        sample.activity = carriers.requestRead(sample)
      }
      listener.begin(sample)
      return sample
    },
    requestEnd: (sample, offset) => {
      sample.requestEndNs = record.timeNs
      sample.requestBytes = offset - sample.requestPosition
      if (isRequest(sample) && sample.startNs !== record.timeNs) {
        carriers.requestContinued(sample, record.tid, record.carrier)
      }
      requested(sample)
    },
    responseBegin: (sample, offset) => {
      sample.responseStartNs = record.timeNs
      // Until the end is known, the place where the answer began is kept here.
      sample.responseBytes = -offset
      sample.responseObserved = true
      if (!isRequest(sample)) carriers.answerRead(sample, record.tid, record.carrier)
      else if (sample.exchange.shape === 'call') carriers.answerBegun(sample, record.tid, record.carrier)
    },
    end: (sample, offset, timeNs) => {
      sample.endNs = timeNs ?? record.timeNs
      if (Number.isNaN(sample.responseStartNs)) {
        sample.responseObserved = sample.exchange.shape === 'message'
        if (Number.isNaN(sample.requestEndNs)) {
          sample.requestEndNs = record.timeNs
          sample.requestBytes = Math.max(0, offset - sample.requestPosition)
          requested(sample)
        }
        // A message that wants no acknowledgement is settled as soon as it is read.
        if (sample.kind === 'consumer') carriers.settled(sample, record.tid, record.carrier)
      } else {
        sample.responseBytes = Math.max(0, offset + sample.responseBytes)
        // An end that is found out late, perhaps in another carrier's call, says nothing about who runs now.
        if (timeNs === undefined) answered(sample)
      }
      finish(sample)
    },
    keyed: sample => {
      keySample(sample)
      listener.keyed(sample)
    },
    abandon: sample => {
      sample.endNs = Math.max(sample.startNs, record.timeNs)
      sample.responseBytes = Math.max(0, sample.responseBytes)
      if (isRequest(sample) && sample.exchange.shape === 'message') {
        carriers.settled(sample, sample.tid, sample.carrier)
      }
      finish(sample)
    },
    get samples() {
      return serial
    },
  }
}

function kindOf(exchange: Exchange, outgoing: boolean): Sample['kind'] {
  // A command that wants no answer is a message, too, but nobody consumes it.
  const consumed = exchange.shape === 'message' && exchange.attributes[Attribute.messagingSystem] !== undefined
  if (consumed) return outgoing ? 'producer' : 'consumer'
  return outgoing ? 'client' : 'server'
}

/**
 * The first bytes on a connection are written for whoever called connect(), where the same thread writes them and that
 * work has not ended meanwhile (an event loop writes when the loop reports the socket ready, perhaps much later).
 */
function connectingActivity(
  state: ConnectionState,
  record: EventReader,
  process: ObservedProcess,
): ConnectionState['connectActivity'] {
  const activity = state.connectActivity
  if (activity === undefined || state.connectTid !== record.tid) return undefined
  // A loop writes when the connection is there, in whatever turn that is.
  if (activity.trust === 0 || runsLoop(process)) return activity
  // A task that is known by itself says more than whoever opened the connection (a pool gives it to another).
  if (record.carrier !== 0) return undefined
  // Opened for nobody in particular (a pool that fills up), or for a request that is over.
  return activity.owner === undefined || activity.owner.complete ? undefined : activity
}

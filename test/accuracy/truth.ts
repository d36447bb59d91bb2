import { type Operation, OperationIndex, operationKey } from '../../src/demo/truth.js'
import { isBackground, type Note } from './note.js'

/** What really happened, as the load and the backend noted it. */
export interface Truth {
  readonly index: OperationIndex
  /** Requests of the load, at the service's end. */
  readonly requests: readonly Operation[]
  /** Calls that the service made, at its end; `request` is the marker of the one it worked for. */
  readonly calls: readonly Operation[]
  /** Calls for no request. */
  readonly background: readonly Operation[]
}

/** All that is kept of a run's truth beside its recording. */
export interface Notes {
  readonly load: readonly Note[]
  readonly backend: readonly Note[]
}

export function buildTruth(notes: Notes): Truth {
  const index = new OperationIndex()
  const operation = (label: string, key: string, note: Note): Operation => {
    const request = isBackground(note.marker) ? undefined : note.marker
    const made: Operation = { label, name: note.marker, key, atMillis: note.at, parent: undefined, request }
    index.add(made)
    return made
  }
  const requests = notes.load.map(note =>
    operation('request', operationKey('in', note.to, note.from, note.position), note),
  )
  const answered = new Set(requests.map(({ request }) => request))
  const calls: Operation[] = []
  const background: Operation[] = []
  for (const note of notes.backend) {
    const call = operation('call', operationKey('out', note.from, note.to, note.position), note)
    if (call.request === undefined) background.push(call)
    // A request that failed has no note of its own: its calls are neither right nor wrong.
    else if (answered.has(call.request)) calls.push(call)
  }
  return { index, requests, calls, background }
}

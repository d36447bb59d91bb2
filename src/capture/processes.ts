import type { ProcessInfo } from './process-info.js'

/** A process of the capture, alive or gone. `info` arrives with its first `processInfo` record. */
export interface ObservedProcess {
  readonly pid: number
  info: ProcessInfo | undefined
  /** Its name as fork or exec told it; all that is known of a process that ended before it could be looked at. */
  comm: string
  /** Changes when the process is replaced by exec or its pid is used again. */
  generation: number
  /** Time of its end in ns since the capture's base; undefined while it lives. */
  endedNs: number | undefined
}

/** The processes of a capture by pid. Ended ones are kept for as long as something refers to them. */
export interface Processes {
  /** The process that has this pid now; created if it was never heard of. */
  get(pid: number): ObservedProcess
  /** … if it was. */
  find(pid: number): ObservedProcess | undefined
  describe(pid: number, info: ProcessInfo): void
  forked(child: number, comm: string): void
  replaced(pid: number, comm: string): void
  /** The process that had this pid, if it was known. */
  ended(pid: number, timeNs: number): ObservedProcess | undefined
  readonly size: number
}

export function createProcesses(): Processes {
  const byPid = new Map<number, ObservedProcess>()
  let generations = 0
  const create = (pid: number): ObservedProcess => {
    const process: ObservedProcess = { pid, info: undefined, comm: '', generation: ++generations, endedNs: undefined }
    byPid.set(pid, process)
    return process
  }
  const get = (pid: number): ObservedProcess => byPid.get(pid) ?? create(pid)
  return {
    get,
    find: pid => byPid.get(pid),
    describe: (pid, info) => {
      const known = get(pid)
      // A pid that was used again before its end was seen: the start time tells.
      const process = known.info !== undefined && known.info.startNs !== info.startNs ? create(pid) : known
      process.info = info
    },
    forked: (child, comm) => {
      const process = byPid.get(child)?.info === undefined ? get(child) : create(child)
      process.comm = comm
    },
    replaced: (pid, comm) => {
      const process = get(pid)
      process.generation = ++generations
      process.comm = comm
      process.info = undefined
    },
    ended: (pid, timeNs) => {
      const process = byPid.get(pid)
      if (process !== undefined) {
        process.endedNs = timeNs
        byPid.delete(pid)
      }
      return process
    },
    get size() {
      return byPid.size
    },
  }
}

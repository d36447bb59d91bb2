import type { ProcessInfo } from '../capture/process-info.js'
import type { ObservedProcess, Processes } from '../capture/processes.js'
import type { ServiceNames } from './service-names.js'

export interface ServicesByPidOptions {
  readonly processes: Processes
  readonly services: ServiceNames
  /** Of a process that no record has told of. */
  readonly describe: (pid: number) => ProcessInfo | undefined
}

/**
 * Names of services by pid, also of processes that have ended: the kernel's counters are read once a minute, and a
 * command-line client is long gone then.
 */
export interface ServicesByPid {
  /** @param port on which the process was reached, 0 if it was the caller */
  nameOf(pid: number, port: number): string | undefined
  ended(process: ObservedProcess): void
}

const MOST_REMEMBERED = 4_096

export function createServicesByPid({ processes, services, describe }: ServicesByPidOptions): ServicesByPid {
  const gone = new Map<number, ObservedProcess>()
  return {
    nameOf: (pid, port) => {
      const process = processes.find(pid) ?? gone.get(pid)
      if (process !== undefined && (process.info !== undefined || process.comm !== '')) {
        return services.nameOf(process, port)
      }
      const info = describe(pid)
      if (info === undefined) return undefined
      return services.nameOf({ pid, info, comm: info.comm, generation: 0, endedNs: undefined }, port)
    },
    ended: process => {
      gone.delete(process.pid)
      gone.set(process.pid, process)
      if (gone.size > MOST_REMEMBERED) gone.delete(gone.keys().next().value!)
    },
  }
}

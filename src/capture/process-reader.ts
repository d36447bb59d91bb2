import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createListeningPorts, type ListeningPorts } from './listening-ports.js'
import type { ProcessInfo } from './process-info.js'

export interface ProcessReader {
  /** What /proc says of the process now; undefined when it is gone. Without `ports` it does not look at sockets. */
  read(pid: number, ports?: ListeningPorts): ProcessInfo | undefined
  /** Every process of the machine, with its listening ports. */
  readAll(): ProcessInfo[]
}

export interface ProcessReaderOptions {
  /** CLOCK_BOOTTIME - CLOCK_MONOTONIC in ns: start times in /proc count from boot, sleep included. */
  readonly suspendedNs: bigint
  readonly procRoot?: string
}

/** /proc gives times in hundredths of a second whatever the kernel's own tick is (USER_HZ). */
const TICK_NS = 10_000_000
/** Longest command line that is kept, in characters over all arguments. */
const COMMAND_LINE_LIMIT = 4096

export function createProcessReader(options: ProcessReaderOptions): ProcessReader {
  const procRoot = options.procRoot ?? '/proc'
  const suspendedNs = Number(options.suspendedNs)

  const read = (pid: number, ports?: ListeningPorts): ProcessInfo | undefined => {
    try {
      const folder = `${procRoot}/${pid}`
      const stat = parseStat(readFileSync(`${folder}/stat`, 'latin1'))
      const cgroup = parseCgroup(readOr(`${folder}/cgroup`))
      return {
        pid,
        parent: stat.parent,
        startNs: stat.startTicks * TICK_NS - suspendedNs,
        comm: stat.comm,
        exe: linkOr(`${folder}/exe`),
        commandLine: splitCommandLine(readOr(`${folder}/cmdline`)),
        user: parseUser(readOr(`${folder}/status`)),
        cgroup,
        listens: ports?.of(pid) ?? [],
        ...namesOfCgroup(cgroup),
      }
    } catch {
      return undefined
    }
  }

  return {
    read,
    readAll() {
      const ports = createListeningPorts(procRoot)
      return listPids(procRoot)
        .map(pid => read(pid, ports))
        .filter(info => info !== undefined)
    },
  }
}

export function listPids(procRoot = '/proc'): number[] {
  return readdirSync(procRoot)
    .filter(name => /^\d+$/.test(name))
    .map(Number)
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** Kernel threads have no executable; a replaced file's link ends in ' (deleted)'. */
function linkOr(path: string): string {
  try {
    return readlinkSync(path).replace(/ \(deleted\)$/, '')
  } catch {
    return ''
  }
}

/** proc_pid_stat(5). The name may itself hold spaces and parentheses: it ends at the last one. */
export function parseStat(text: string): { comm: string; parent: number; startTicks: number } {
  const open = text.indexOf('(')
  const close = text.lastIndexOf(')')
  const fields = text.slice(close + 2).split(' ')
  return { comm: text.slice(open + 1, close), parent: Number(fields[1]), startTicks: Number(fields[19]) }
}

function splitCommandLine(text: string): string[] {
  const cut = text.slice(0, COMMAND_LINE_LIMIT)
  return cut === '' ? [] : cut.replace(/\0$/, '').split('\0')
}

function parseUser(status: string): number {
  return Number(/^Uid:\s+(\d+)/m.exec(status)?.[1] ?? 0)
}

/** The unified hierarchy's path ('0::/…'); else systemd's of version 1. */
export function parseCgroup(text: string): string {
  const unified = /^0::(.*)$/m.exec(text)?.[1]
  return unified ?? /^\d+:name=systemd:(.*)$/m.exec(text)?.[1] ?? ''
}

/** systemd unit and container id that a cgroup path names. */
export function namesOfCgroup(cgroup: string): { unit?: string; container?: string } {
  const container = /([0-9a-f]{64})(?:\.scope)?(?:\/|$)/.exec(cgroup)?.[1]
  const units = cgroup.split('/').filter(part => /\.(service|scope)$/.test(part) && !part.includes(container ?? '\0'))
  const unit = units.at(-1)
  return { ...(unit === undefined ? {} : { unit }), ...(container === undefined ? {} : { container }) }
}

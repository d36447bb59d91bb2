/**
 * What user space knows of a process, read from /proc when it is first seen or replaced and carried in the event
 * stream as the JSON text of a `processInfo` record, so that a recording needs no /proc.
 */
export interface ProcessInfo {
  readonly pid: number
  readonly parent: number
  /** Start of the process in ns of CLOCK_MONOTONIC (field 22 of /proc/pid/stat); tells a reused pid apart. */
  readonly startNs: number
  readonly comm: string
  readonly exe: string
  readonly commandLine: readonly string[]
  readonly user: number
  /** Unified cgroup path, '' where there is none. */
  readonly cgroup: string
  /** TCP ports this process listens on, ascending. */
  readonly listens: readonly number[]
  /** systemd unit or container id where the cgroup names one. */
  readonly unit?: string
  readonly container?: string
  /** What runs inside its threads; left out where threads are all there is. */
  readonly carriers?: ProcessCarriers
}

/**
 * Whether records of this process name the greenlet, task or goroutine that made the call. Unless `resolved`, its
 * threads do not tell who works for whom either: nothing is concluded from context then.
 */
export interface ProcessCarriers {
  /** 'greenlet', 'asyncio', 'go', 'node'. */
  readonly kinds: readonly string[]
  /** resolved: records say so by their flag; pending: looked at again; refused: by the kernel. */
  readonly state: 'resolved' | 'pending' | 'unsupported' | 'refused'
  readonly reason: string
}

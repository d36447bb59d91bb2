import type { ProbeSite } from './carrier-kind.js'

/** Puts a program at a site, or says why not. */
export type AttachProbe = (site: ProbeSite) => number | { readonly errno: number; readonly message: string }

/**
 * The probes that tell of births. A probe serves every process that has the file mapped, forked ones from their first
 * instruction on; the program itself passes over processes that the kernel was not told of. So each site is attached
 * once, and kept while some process needs it.
 */
export interface CarrierProbes {
  /** Undefined when all are in place; else why not. Those of a failed call that were new are given back. */
  hold(pid: number, sites: readonly ProbeSite[]): string | undefined
  /** A forked child needs what its parent needs. */
  inherit(child: number, parent: number): void
  release(pid: number): void
  /** Detaches one probe that nobody needs any more: that waits for the kernel, hence one at a time. */
  drop(): void
  readonly attached: number
}

export interface CarrierProbesOptions {
  readonly attach: AttachProbe
  readonly detach: (id: number) => void
}

/** More sites than any host has interpreters. */
const MOST_SITES = 4096

interface Probe {
  readonly id: number
  readonly pids: Set<number>
}

export function createCarrierProbes({ attach, detach }: CarrierProbesOptions): CarrierProbes {
  const bySite = new Map<string, Probe>()
  const release = (pid: number): void => {
    for (const probe of bySite.values()) probe.pids.delete(pid)
  }
  const holdOne = (pid: number, site: ProbeSite): string | undefined => {
    const key = `${site.program} ${site.fileKey} ${site.offset} ${site.atReturn} ${site.cookie ?? 0}`
    let probe = bySite.get(key)
    if (probe === undefined) {
      if (bySite.size >= MOST_SITES) return `more than ${MOST_SITES} probes`
      const id = attach(site)
      if (typeof id !== 'number') return id.message
      probe = { id, pids: new Set() }
      bySite.set(key, probe)
    }
    probe.pids.add(pid)
    return undefined
  }
  return {
    hold(pid, sites) {
      for (const site of sites) {
        const problem = holdOne(pid, site)
        if (problem === undefined) continue
        release(pid)
        return problem
      }
      return undefined
    },
    inherit(child, parent) {
      for (const probe of bySite.values()) if (probe.pids.has(parent)) probe.pids.add(child)
    },
    release,
    drop() {
      for (const [key, probe] of bySite) {
        if (probe.pids.size > 0) continue
        bySite.delete(key)
        detach(probe.id)
        return
      }
    },
    get attached() {
      return bySite.size
    },
  }
}

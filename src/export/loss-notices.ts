/** Tells the operator about losses: the first at once, then summed up, at most once per interval. */
export interface LossNotices {
  lost(cause: string, spans: number): void
  /** Tells what has not been told yet. */
  close(): void
}

export interface LossNoticesOptions {
  /** What loses them: `OTLP export to http://localhost:4317`. */
  readonly where: string
  readonly warn: (message: string) => void
  readonly intervalMillis: number
  readonly clock: () => number
}

const mostCauses = 16

export function createLossNotices(options: LossNoticesOptions): LossNotices {
  const untold = new Map<string, number>()
  let told = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | undefined

  const tell = (): void => {
    clearTimeout(timer)
    timer = undefined
    if (untold.size === 0) return
    told = options.clock()
    const causes = [...untold].map(([cause, spans]) => `${spans} (${cause})`).join(', ')
    untold.clear()
    options.warn(`${options.where}: spans lost: ${causes}`)
  }

  return {
    lost(cause, spans) {
      if (spans === 0) return
      // Causes may hold a receiver's own words.
      const key = untold.size < mostCauses || untold.has(cause) ? cause : 'other causes'
      untold.set(key, (untold.get(key) ?? 0) + spans)
      if (timer !== undefined) return
      const wait = told + options.intervalMillis - options.clock()
      if (wait <= 0) tell()
      else timer = setTimeout(tell, wait).unref()
    },
    close: tell,
  }
}

import type { SketchFilter, SketchReading } from '../archive/queries/read-sketches.js'
import type { Settings } from '../config/settings.js'
import { formatOfKinds } from '../sketches/sketch-row.js'
import { CommandError } from './command-error.js'
import { note } from './standard-output.js'

export interface SketchRange {
  /** ns since 1970, as options give them. */
  readonly since: bigint | undefined
  readonly until: bigint | undefined
  readonly defaultSeconds: number
}

export interface ReadRange extends SketchReading {
  readonly until: number
  /** Length of what was read. */
  readonly seconds: number
}

const BILLION = 1_000_000_000n

/** Sketches of a range, which ends now unless said otherwise. Says what had to be left out. */
export async function readSketchRange(
  settings: Settings,
  range: SketchRange,
  filter: Omit<SketchFilter, 'since' | 'until'>,
): Promise<ReadRange> {
  const { readSketches } = await import('../archive/queries/read-sketches.js')
  const { readArchive } = await import('./archive-access.js')
  const until = range.until === undefined ? Math.ceil(Date.now() / 1_000) : Number(range.until / BILLION)
  const since = range.since === undefined ? until - range.defaultSeconds : Number(range.since / BILLION)
  const reading = await readArchive(settings, archive => readSketches(archive, { ...filter, since, until }))
  const others = reading.otherFormats
  if (others.length > 0) {
    const rows = others.reduce((sum, each) => sum + each.rows, 0)
    const text = `${rows} rows of sketches in this time are of format ${others.map(each => each.format).join(', ')}, and this version merges format ${formatOfKinds(filter.kinds)} only`
    if (reading.sketches.length === 0) throw new CommandError(`${text}: read them with the version that wrote them`)
    note(`${text}: they are left out`)
  }
  return { ...reading, until, seconds: Math.max(1, until - reading.since) }
}

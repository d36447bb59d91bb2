import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { open, readFile, rename, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Counters } from '../telemetry/counters.js'
import type { Batch } from './batch.js'

/** One batch on disk. */
export interface SpooledBatch {
  readonly file: string
  readonly rows: number
  readonly size: number
  /** Written by this process, not found at its start. */
  readonly fresh: boolean
}

/**
 * Batches on disk while the archive is away: one file each, written aside and renamed, so that a file is whole or not
 * there, also after kill -9. Bounded: the oldest make room, counted. Rows that are lost are counted in
 * `archive.lost.spool_full`, `.disk_full`, `.spool_corrupt`.
 */
export interface Spool {
  /** True when the batch is safe; false when it is lost (and counted). Never throws. */
  put(batch: Batch): Promise<boolean>
  /** The oldest batch that is not in `busy`. */
  oldest(busy: ReadonlySet<SpooledBatch>): SpooledBatch | undefined
  /** undefined if it cannot be read: then it is dropped and counted. */
  read(entry: SpooledBatch): Promise<Batch | undefined>
  remove(entry: SpooledBatch): Promise<void>
  readonly size: () => { batches: number; bytes: number; fresh: number }
}

export interface SpoolOptions {
  readonly directory: string
  /** Default 256 MiB. */
  readonly limitBytes?: number
  readonly counters: Counters
  readonly warn: (message: string) => void
}

export const DEFAULT_SPOOL_BYTES = 256 << 20
const NAME = /^(\d{12})-(\d+)\.batch$/
const MAGIC = 'ghostspan-batch 1'

export function openSpool(options: SpoolOptions): Spool {
  const { directory, counters, warn } = options
  const limitBytes = options.limitBytes ?? DEFAULT_SPOOL_BYTES
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const entries = findEntries(directory)
  let bytes = entries.reduce((sum, entry) => sum + entry.size, 0)
  let sequence = entries.length === 0 ? 0 : Number(NAME.exec(entries.at(-1)!.file)![1])
  let fullSince = false

  const drop = async (entry: SpooledBatch, cause: string): Promise<void> => {
    forget(entry)
    counters.add(`archive.lost.${cause}`, entry.rows)
    await unlink(join(directory, entry.file)).catch(() => {})
  }
  const forget = (entry: SpooledBatch): void => {
    const index = entries.indexOf(entry)
    if (index < 0) return
    entries.splice(index, 1)
    bytes -= entry.size
  }
  const write = async (batch: Batch): Promise<void> => {
    const name = `${String(++sequence).padStart(12, '0')}-${batch.rows}.batch`
    const content = fileContent(batch)
    const aside = join(directory, `${name}.part`)
    try {
      const file = await open(aside, 'w', 0o600)
      try {
        await file.writeFile(content)
        await file.datasync()
      } finally {
        await file.close()
      }
      await rename(aside, join(directory, name))
    } catch (error) {
      await unlink(aside).catch(() => {})
      throw error
    }
    entries.push({ file: name, rows: batch.rows, size: content.length, fresh: true })
    bytes += content.length
  }
  const put = async (batch: Batch): Promise<boolean> => {
    const size = batch.bytes.length + 1024
    if (size > limitBytes) {
      counters.add('archive.lost.spool_full', batch.rows)
      return false
    }
    while (bytes + size > limitBytes && entries.length > 0) {
      if (!fullSince)
        warn(`archive: the spool in ${directory} is full (${limitBytes} bytes); the oldest spans are dropped`)
      fullSince = true
      await drop(entries[0]!, 'spool_full')
    }
    for (;;) {
      try {
        await write(batch)
        counters.add('archive.spool.written', batch.rows)
        return true
      } catch (error) {
        const oldest = entries[0]
        if (oldest === undefined || !isFull(error)) {
          warn(`archive: ${batch.rows} spans are lost: the spool in ${directory} cannot be written (${String(error)})`)
          counters.add('archive.lost.disk_full', batch.rows)
          return false
        }
        warn(`archive: no space left for the spool in ${directory}; the oldest ${oldest.rows} spans are dropped`)
        await drop(oldest, 'disk_full')
      }
    }
  }
  // One write at a time keeps the order and the bound exact.
  let last: Promise<unknown> = Promise.resolve()
  return {
    put: batch => {
      const result = last.then(() => put(batch))
      last = result
      return result
    },
    oldest: busy => entries.find(entry => !busy.has(entry)),
    read: async entry => {
      try {
        return parseContent(await readFile(join(directory, entry.file)))
      } catch (error) {
        if (entries.includes(entry)) {
          warn(`archive: the spooled batch ${entry.file} cannot be used and is dropped (${String(error)})`)
          await drop(entry, 'spool_corrupt')
        }
        return undefined
      }
    },
    remove: async entry => {
      forget(entry)
      await unlink(join(directory, entry.file)).catch(() => {})
      if (entries.length === 0) fullSince = false
    },
    size: () => ({ batches: entries.length, bytes, fresh: entries.filter(entry => entry.fresh).length }),
  }
}

function findEntries(directory: string): SpooledBatch[] {
  const found: SpooledBatch[] = []
  for (const file of readdirSync(directory).sort()) {
    const name = NAME.exec(file)
    // What was being written when its process was killed.
    if (file.endsWith('.part')) rmSync(join(directory, file), { force: true })
    else if (name !== null) {
      found.push({ file, rows: Number(name[2]), size: statSync(join(directory, file)).size, fresh: false })
    }
  }
  return found
}

const isFull = (error: unknown): boolean => ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '')

const checksum = (bytes: Uint8Array): string => createHash('sha1').update(bytes).digest('hex')

/** One line of JSON, then the rows. */
function fileContent(batch: Batch): Buffer {
  const head = {
    magic: MAGIC,
    token: batch.token,
    ...(batch.table === undefined ? {} : { table: batch.table }),
    rows: batch.rows,
    columns: batch.columns,
    sha1: checksum(batch.bytes),
  }
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), batch.bytes])
}

function parseContent(content: Buffer): Batch {
  const end = content.indexOf(10)
  const head = JSON.parse(content.toString('utf8', 0, Math.max(0, end))) as {
    magic: string
    token: string
    table?: string
    rows: number
    columns: string[]
    sha1: string
  }
  const bytes = content.subarray(end + 1)
  if (head.magic !== MAGIC) throw new Error(`it is not of this version: ${String(head.magic).slice(0, 40)}`)
  if (checksum(bytes) !== head.sha1) throw new Error('its checksum is wrong')
  return {
    ...(head.table === undefined ? {} : { table: head.table }),
    token: head.token,
    rows: head.rows,
    columns: head.columns,
    bytes,
  }
}

/** Number of spans that wait in a spool directory; for reports of a process that is not running. */
export function spooledRows(directory: string): number {
  try {
    return readdirSync(directory).reduce((sum, file) => sum + Number(NAME.exec(file)?.[2] ?? 0), 0)
  } catch {
    return 0
  }
}

import type { Archive } from '../archive/archive.js'
import type { Settings } from '../config/settings.js'
import { CommandError } from './command-error.js'

export interface ArchiveAccessOptions {
  /** daemon: writes; reader: asks whoever has it, a running daemon for instance. */
  readonly role: 'daemon' | 'reader'
  readonly warn?: (message: string) => void
}

/** The archive that the settings name. The engine is loaded only here: it costs a second and 200 MB. */
export async function openArchive(settings: Settings, options: ArchiveAccessOptions): Promise<Archive> {
  const { connectArchive } = await import('../archive/connect.js')
  const { clickhouse, dataDirectory, listen } = settings.archive
  const { role, warn } = options
  const place =
    clickhouse === undefined
      ? { dataDirectory, ...(role === 'daemon' && listen !== undefined && { listen }) }
      : {
          url: clickhouse.url,
          username: clickhouse.user,
          password: clickhouse.password,
          database: clickhouse.database,
        }
  return connectArchive({ ...place, role, ...(warn === undefined ? {} : { warn }) })
}

/** Opens the archive for reading, does something, closes it. Says where the archive is when it does not answer. */
export async function readArchive<T>(settings: Settings, work: (archive: Archive) => Promise<T>): Promise<T> {
  const { isConnectionError } = await import('../archive/archive.js')
  const archive = await openArchive(settings, { role: 'reader' })
  try {
    return await work(archive)
  } catch (error) {
    if (!isConnectionError(error)) throw error
    const reason =
      error instanceof Error ? error.message || String((error as NodeJS.ErrnoException).code) : String(error)
    throw new CommandError(`the archive at ${archive.address} does not answer: ${reason}`, { cause: error })
  } finally {
    await archive.close()
  }
}

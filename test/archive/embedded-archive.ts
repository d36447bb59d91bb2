import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Archive } from '../../src/archive/archive.js'
import { type ConnectOptions, connectArchive } from '../../src/archive/connect.js'
import type { Requirement } from '../support/requirements.js'

export const embeddedEngine: Requirement = {
  what: 'the npm package chdb (an optional dependency)',
  met: () => {
    try {
      createRequire(import.meta.url).resolve('chdb')
      return true
    } catch {
      return false
    }
  },
}

/** For a suite's `skip`: false, or what is missing; a failure where everything is required. */
export function unlessEmbedded(): string | false {
  if (embeddedEngine.met()) return false
  if (process.env['GHOSTSPAN_REQUIRE_ALL'] === '1') throw new Error(`needs ${embeddedEngine.what}`)
  return `needs ${embeddedEngine.what}`
}

export interface TestArchive {
  readonly archive: Archive
  readonly directory: string
  readonly warnings: string[]
  /** Rows of a query, 64-bit integers as texts. */
  rows<T>(query: string): Promise<T[]>
  count(query: string): Promise<number>
  close(): Promise<void>
}

export const temporaryDirectory = (): string => mkdtempSync(join(tmpdir(), 'ghostspan-archive-'))

/** A real embedded archive in a temporary folder. */
export async function openTestArchive(
  options: Partial<ConnectOptions> & { readonly keep?: boolean } = {},
): Promise<TestArchive> {
  const directory = options.dataDirectory ?? temporaryDirectory()
  const warnings: string[] = []
  const archive = await connectArchive({
    role: 'daemon',
    ...options,
    dataDirectory: directory,
    warn: message => warnings.push(message),
  })
  const rows = <T>(query: string): Promise<T[]> =>
    archive.run(async client => (await client.query({ query, format: 'JSONEachRow' })).json<T>())
  return {
    archive,
    directory,
    warnings,
    rows,
    count: async query => Number(Object.values((await rows<Record<string, string>>(query))[0] ?? {})[0]),
    close: async () => {
      await archive.close()
      if (options.keep !== true) rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** Waits until a condition holds; fails after a generous limit. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  millis = 30_000,
): Promise<void> {
  const end = Date.now() + millis
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited ${millis} ms for: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

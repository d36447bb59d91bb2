import { constants, existsSync } from 'node:fs'
import { access, statfs } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import type { Settings } from '../../config/settings.js'
import { urlWithoutPassword } from '../../config/without-secrets.js'
import { readRunFile } from '../run-file.js'
import { type Check, fail, ok, warn } from './check.js'

/** What the archive needs: an engine or a server, a folder, room on the disk. */
export async function archiveChecks({ archive }: Settings): Promise<Check[]> {
  const { dataDirectory, clickhouse, retention, spoolBytes, enabled } = archive
  const place = await writable(dataDirectory)
  if (!enabled) return [ok('archive', 'switched off by the settings'), place]
  const needed = clickhouse === undefined ? retention.sizeBytes + spoolBytes : spoolBytes
  return [
    clickhouse === undefined ? embeddedEngine() : await server(clickhouse),
    place,
    await room(dataDirectory, needed),
    daemon(dataDirectory),
  ]
}

function embeddedEngine(): Check {
  const name = 'archive-engine'
  try {
    const require = createRequire(import.meta.url)
    const path = require.resolve('chdb')
    return ok(name, `embedded ClickHouse, ${dirname(path)}`)
  } catch {
    return warn(
      name,
      'the embedded ClickHouse (the optional npm package chdb) is not installed: nothing will be archived',
      'npm install --global chdb@3.4.0 beside ghostspan, or name a server with --clickhouse URL, or switch off with --no-archive',
    )
  }
}

async function server({ url, user, password }: NonNullable<Settings['archive']['clickhouse']>): Promise<Check> {
  const name = 'archive-server'
  const shown = urlWithoutPassword(url)
  try {
    const response = await fetch(new URL('/?query=SELECT%20version()', shown), {
      headers: { 'x-clickhouse-user': user, 'x-clickhouse-key': password },
      signal: AbortSignal.timeout(5_000),
    })
    const text = (await response.text()).trim()
    if (response.ok) return ok(name, `${shown}, ClickHouse ${text.slice(0, 40)}`)
    return fail(
      name,
      `${shown} answers ${response.status}: ${text.slice(0, 120)}`,
      'check user and password of the archive',
    )
  } catch (error) {
    const reason =
      error instanceof Error ? ((error.cause as Error | undefined)?.message ?? error.message) : String(error)
    return fail(
      name,
      `${shown} does not answer: ${reason}`,
      'start ClickHouse there, or name another place with --clickhouse',
    )
  }
}

async function writable(directory: string): Promise<Check> {
  const name = 'data-directory'
  const there = nearestExisting(directory)
  try {
    await access(there, constants.W_OK | constants.X_OK)
    return ok(name, there === directory ? directory : `${directory} (will be made)`)
  } catch {
    return fail(
      name,
      `${there} cannot be written by this user`,
      'run as root, or name another folder with --data-directory',
    )
  }
}

async function room(directory: string, needed: number): Promise<Check> {
  const name = 'disk-space'
  const { bavail, bsize } = await statfs(nearestExisting(directory))
  const free = bavail * bsize
  const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`
  if (free >= needed) return ok(name, `${gigabytes(free)} free, at most ${gigabytes(needed)} will be used`)
  const fix = 'free some space, or let the archive keep less: --retention-size'
  const detail = `${gigabytes(free)} free, but archive and spool may use ${gigabytes(needed)}`
  return free < 500e6 ? fail(name, detail, fix) : warn(name, detail, fix)
}

function daemon(directory: string): Check {
  const running = readRunFile(directory)
  const name = 'daemon'
  return running === undefined
    ? ok(name, 'no daemon runs on the data folder')
    : ok(name, `a daemon runs on the data folder, pid ${running.process.pid}`)
}

function nearestExisting(directory: string): string {
  let there = directory
  while (!existsSync(there) && dirname(there) !== there) there = dirname(there)
  return there
}

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { labFolder } from './lab.js'
import { type TempestCall, tempestCalls } from './tempest-calls.js'

const LOG = join(labFolder, 'tempest', 'logs', 'tempest.log')

export function callsOfLog(): TempestCall[] {
  return existsSync(LOG) ? tempestCalls(readFileSync(LOG, 'utf8')) : []
}

/** Tempest appends: each run begins with an empty log. */
export function emptyLog(): void {
  mkdirSync(dirname(LOG), { recursive: true })
  writeFileSync(LOG, '')
}

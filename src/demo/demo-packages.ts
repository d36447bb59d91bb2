import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../capture/native-addon.js'

/** A Debian package, and a file of it that is there when it is installed. */
export interface DebianPackage {
  readonly name: string
  readonly file: string
}

/** What the demo's servers and clients come from. scripts/set-up.mjs reads the same list. */
export function demoPackages(): DebianPackage[] {
  const path = join(packageRoot(), 'src', 'demo', 'services', 'packages.json')
  return JSON.parse(readFileSync(path, 'utf8')) as DebianPackage[]
}

/** Names of those that this machine lacks. */
export function missingPackages(): string[] {
  return demoPackages()
    .filter(each => !existsSync(each.file))
    .map(each => each.name)
}

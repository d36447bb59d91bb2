import { readFileSync } from 'node:fs'

/** The package's version, from the package.json two folders above the compiled file, or one above the source. */
export const version: string = readVersion()

function readVersion(): string {
  for (const path of ['../package.json', '../../package.json']) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as {
        name?: string
        version?: string
      }
      if (name === 'ghostspan' && version !== undefined) return version
    } catch {
      // Not there: look one folder further up.
    }
  }
  return '0.0.0'
}

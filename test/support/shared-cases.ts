import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Requirement } from './requirements.js'

/** The folder that holds package.json, from the sources as from what is compiled of them. */
function checkout(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder)
  return folder
}

/** Captures of others, with what is known of them: GHOSTSPAN_CASES, by default ../shared/cases beside the checkout. */
export const casesFolder = resolve(process.env['GHOSTSPAN_CASES'] ?? join(checkout(), '..', 'shared', 'cases'))

/** A suite of them, such as 'own-kafka'. */
export const sharedCases = (suite: string): Requirement => ({
  what: `the captures of ${suite} (GHOSTSPAN_CASES, by default ../shared/cases)`,
  met: () => existsSync(join(casesFolder, suite)),
})

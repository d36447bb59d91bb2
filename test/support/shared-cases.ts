import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

/** The folder that holds package.json, from the sources as from what is compiled of them. */
function checkout(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder)
  return folder
}

/** Captures of others, with what is known of them: GHOSTSPAN_CASES, by default ../shared/cases beside the checkout. */
export const casesFolder = resolve(process.env['GHOSTSPAN_CASES'] ?? join(checkout(), '..', 'shared', 'cases'))

/** Whether a suite of them, such as 'own-kafka', is there. They are no part of the project. */
export const hasCases = (suite: string): boolean => existsSync(join(casesFolder, suite))

/** Skips the test where the suite is not there, also where everything else is required. True: it may go on. */
export function requiresCases(t: TestContext, suite: string): boolean {
  if (hasCases(suite)) return true
  t.skip(`needs the captures of ${suite}: GHOSTSPAN_CASES, by default ../shared/cases beside the checkout`)
  return false
}

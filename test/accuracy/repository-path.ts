import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A file of the repository that is not compiled, found from the sources and from dist/ alike. */
export function repositoryPath(...parts: readonly string[]): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); folder !== '/'; folder = dirname(folder)) {
    if (existsSync(join(folder, 'test', 'accuracy', 'programs'))) return join(folder, ...parts)
  }
  throw new Error('test/accuracy/programs is not above this program; run it in the repository')
}

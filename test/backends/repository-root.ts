import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Scripts and configurations are not compiled: they are found from the sources and from dist/ alike. */
export function repositoryRoot(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); folder !== '/'; folder = dirname(folder)) {
    if (existsSync(join(folder, 'test', 'backends', 'lib.sh'))) return folder
  }
  throw new Error('test/backends/lib.sh is not above this program; run it in the repository')
}

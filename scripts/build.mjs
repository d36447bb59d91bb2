// Compiles TypeScript to dist/. The addon and the BPF objects are built by build-native.mjs.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
if (!existsSync(tsc)) {
  console.error('build: the TypeScript compiler is missing; run: npm ci')
  process.exit(1)
}
const result = spawnSync(process.execPath, [tsc, '-p', root], { stdio: 'inherit' })
process.exit(result.status ?? 1)

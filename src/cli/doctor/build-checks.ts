import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { packageRoot } from '../../capture/native-addon.js'
import { type Check, fail, ok } from './check.js'

/** `scripts/build-native.mjs`, which is no TypeScript: it also runs where nothing has been compiled yet. */
interface BuildScript {
  missingTools(): readonly { readonly what: string; readonly package: string }[]
  buildNative(options: { force?: boolean; log: (line: string) => void }): Promise<unknown>
}

export const BUILD_COMMAND = 'ghostspan doctor --build'

async function buildScript(): Promise<BuildScript> {
  return (await import(pathToFileURL(join(packageRoot(), 'scripts', 'build-native.mjs')).href)) as BuildScript
}

/** What builds the addon and the BPF object. */
export async function buildToolsCheck(): Promise<Check> {
  const missing = (await buildScript()).missingTools()
  if (missing.length === 0) return ok('build-tools', 'clang, bpftool, a C++ compiler and libbpf')
  const packages = [...new Set(missing.map(tool => tool.package))].join(' ')
  const detail = `missing: ${missing.map(tool => tool.what).join(', ')}`
  return fail('build-tools', detail, `apt-get install ${packages} (Debian and Ubuntu), then: ${BUILD_COMMAND}`)
}

/** Builds what is out of date, also in a package that was installed globally. Throws with what is missing. */
export async function buildNative(options: { force: boolean; log: (line: string) => void }): Promise<void> {
  await (await buildScript()).buildNative(options)
}

import type { HooksChoice } from '../../capture/hooks.js'
import { checkKernel } from '../../capture/kernel-requirements.js'
import { nativePaths } from '../../capture/native-addon.js'
import { BUILD_COMMAND, buildToolsCheck } from './build-checks.js'
import { type Check, ok } from './check.js'

/** What live capture needs, and what builds it where that has not been done. */
export async function kernelChecks(hooks: HooksChoice): Promise<Check[]> {
  const checks = checkKernel(nativePaths(), hooks).map(({ name, ok: met, required, detail, fix }): Check => {
    const slug = name.toLowerCase().replaceAll(' ', '-')
    if (met) return ok(slug, detail)
    return { name: slug, status: required ? 'fail' : 'warn', detail: inOurWords(detail), fix: inOurWords(fix ?? '') }
  })
  const built = checks.filter(({ name }) => name === 'addon' || name === 'bpf-object')
  return built.every(({ status }) => status === 'ok') ? checks : [...checks, await buildToolsCheck()]
}

/** npm's scripts are at hand in a clone only, this command everywhere. */
function inOurWords(text: string): string {
  return text
    .replaceAll('npm run build:native -- --force', `${BUILD_COMMAND} --force`)
    .replaceAll('npm run build:native', BUILD_COMMAND)
}

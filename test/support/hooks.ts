import type { HooksChoice } from '../../src/capture/hooks.js'

/**
 * What tells of socket calls in live tests: the setting's variable, so that all of them can be run on the capture for
 * older kernels: `GHOSTSPAN_CAPTURE_HOOKS=syscall npm test`.
 */
export const hooksOfTests = (process.env['GHOSTSPAN_CAPTURE_HOOKS'] ?? 'auto') as HooksChoice

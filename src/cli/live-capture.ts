import { existsSync } from 'node:fs'
import type { LiveSource } from '../capture/live-source.js'
import type { OrderedSelectionRule, Selection } from '../capture/selection.js'
import type { Settings } from '../config/settings.js'
import type { Counters } from '../telemetry/counters.js'
import { CommandError } from './command-error.js'

/** Tells what live capture lacks before anything is started for it: what is seen at a glance, the rest at its start. */
export async function requireLiveCapture(command: string): Promise<void> {
  const { checkPrivileges } = await import('../capture/kernel-requirements.js')
  const { nativePaths } = await import('../capture/native-addon.js')
  const hint =
    '`ghostspan doctor` names everything that live capture needs. Without it: ghostspan replay FILE (a recording or packet capture)'
  const privileges = checkPrivileges()
  if (!privileges.ok) {
    throw new CommandError(
      `live capture needs root (${privileges.detail}); start it with: sudo ghostspan ${command}\n${hint}`,
    )
  }
  const missing = Object.values(nativePaths()).filter(path => !existsSync(path))
  if (missing.length === 0) return
  throw new CommandError(`live capture needs ${missing.join(' and ')}; build with: ghostspan doctor --build\n${hint}`)
}

/** Loads the BPF programs and starts to watch what the settings select. */
export async function openLiveSource(settings: Settings, counters: Counters): Promise<LiveSource> {
  const { createLiveSource } = await import('../capture/live-source.js')
  return createLiveSource({
    counters,
    ringBytes: settings.capture.ringBufferBytes,
    hooks: settings.capture.hooks,
    selection: selectionOf(settings.selection),
  })
}

function selectionOf(selection: Settings['selection']): Selection {
  return { rules: selection.rules.map(withoutUndefined), otherwise: selection.default }
}

function withoutUndefined(rule: Settings['selection']['rules'][number]): OrderedSelectionRule {
  return Object.fromEntries(
    Object.entries(rule).filter(([, value]) => value !== undefined),
  ) as unknown as OrderedSelectionRule
}

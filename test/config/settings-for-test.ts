import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type LoadedSettings, loadSettings, type SettingsSources } from '../../src/config/load-settings.js'
import { SettingsError, type SettingsIssue } from '../../src/config/settings-error.js'

/** Writes a settings file that lives as long as the test; its name is `ghostspan.yaml`. */
export function settingsFile(t: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'ghostspan-config-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'ghostspan.yaml')
  writeFileSync(path, text)
  return path
}

export function load(sources: Partial<SettingsSources> = {}): LoadedSettings {
  return loadSettings({ environment: {}, user: 1000, home: '/home/u', ...sources })
}

/** What loading refuses; the file's folder is left out of places. */
export function issuesOf(sources: Partial<SettingsSources>): SettingsIssue[] {
  try {
    load(sources)
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    return error.issues.map(issue => ({
      ...issue,
      place: issue.place.replace(/^.*\/ghostspan\.yaml/, 'ghostspan.yaml'),
    }))
  }
  throw new Error('the settings were accepted')
}

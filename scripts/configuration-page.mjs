// Writes docs/configuration.md from the settings schema: node --import tsx scripts/configuration-page.mjs
import { writeFileSync } from 'node:fs'
import { referencePage } from '../src/config/reference-page.ts'

writeFileSync(new URL('../docs/configuration.md', import.meta.url), referencePage())

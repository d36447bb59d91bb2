// Writes docs/configuration.md and docs/commands.md from the code: node --import tsx scripts/reference-pages.mjs
import { writeFileSync } from 'node:fs'
import { commandsPage } from '../src/cli/commands-page.ts'
import { referencePage } from '../src/config/reference-page.ts'

writeFileSync(new URL('../docs/configuration.md', import.meta.url), referencePage())
writeFileSync(new URL('../docs/commands.md', import.meta.url), commandsPage())

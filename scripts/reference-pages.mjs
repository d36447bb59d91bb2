// Writes docs/configuration.md, docs/commands.md and the table in docs/carriers.md from the code: node --import tsx scripts/reference-pages.mjs
import { readFileSync, writeFileSync } from 'node:fs'
import { commandsPage } from '../src/cli/commands-page.ts'
import { referencePage } from '../src/config/reference-page.ts'
import { withTrustTable } from '../src/samples/trust.ts'

writeFileSync(new URL('../docs/configuration.md', import.meta.url), referencePage())
writeFileSync(new URL('../docs/commands.md', import.meta.url), commandsPage())

const carriers = new URL('../docs/carriers.md', import.meta.url)
writeFileSync(carriers, withTrustTable(readFileSync(carriers, 'utf8')))

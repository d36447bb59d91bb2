import type { Command } from 'commander'
import type { FinishedSpan } from '../traces/span.js'
import { CommandError, usageError } from './command-error.js'
import type { Candidate, Explanation } from './explanation.js'
import { addArchivePlaceOptions, addSettingsFileOptions, type SettingsFlags, settingsFor } from './settings-options.js'
import { note, print, printJson } from './standard-output.js'

interface ExplainFlags extends SettingsFlags {
  readonly json?: boolean
}

export function addExplainCommand(program: Command): void {
  const command = program
    .command('explain')
    .summary('say why a span has the parent that it has')
    .description(
      'Says why an archived span has the parent that it has: what each kind of evidence said, how sure the link is, and what the other candidates were. Works while the daemon runs, and without it.',
    )
    .argument('<span-id>', "the span's id, or its beginning (4 hex digits or more)")
    .option('--json', 'the explanation as one JSON object')
  addSettingsFileOptions(addArchivePlaceOptions(command))
    .addHelpText(
      'after',
      `
Examples:
  ghostspan explain 9c41
  ghostspan show 4f1c09 --json | jq -r '.spans[] | select(.link.confidence < 0.9).spanId'
  ghostspan explain 9c41d02e77ab3f10 --json | jq .candidates`,
    )
    .action(explainSpan)
}

async function explainSpan(id: string, flags: ExplainFlags): Promise<void> {
  const { settings, warnings } = await settingsFor(flags)
  for (const warning of warnings) note(`warning: ${warning}`)
  const { getSpan } = await import('../archive/queries/get-span.js')
  const { readArchive } = await import('./archive-access.js')
  const found = await readArchive(settings, archive => getSpan(archive, id))
  if (found.kind === 'invalid') {
    throw usageError(
      `'${id}' is no span id; give 4 to 16 hex digits, as \`ghostspan show TRACE --json\` and Jaeger show them`,
    )
  }
  if (found.kind === 'none') {
    throw new CommandError(
      `there is no span ${id} in the archive; \`ghostspan show TRACE --json\` lists those of a trace`,
    )
  }
  if (found.kind === 'ambiguous') {
    throw new CommandError(`several spans begin with ${id}; give more digits:\n${found.spanIds.join('\n')}`)
  }
  const { explain } = await import('./explanation.js')
  const explanation = explain(found.span, found.related)
  if (flags.json === true) printJson(await explanationObject(found.span, explanation))
  else print(await explanationText(found.span, explanation))
}

async function explanationObject(span: FinishedSpan, explanation: Explanation): Promise<Record<string, unknown>> {
  const { spanToJson } = await import('../export/span-json.js')
  const candidate = ({ spanId, confidence, span: other, times }: Candidate): Record<string, unknown> => ({
    spanId,
    confidence: confidence ?? null,
    times,
    span: other === undefined ? null : spanToJson(other),
  })
  const { verdict, parent, decidedBy, evidence, others } = explanation
  return {
    span: spanToJson(span),
    verdict,
    parent: parent === undefined ? null : candidate(parent),
    confidence: parent?.confidence ?? null,
    decidedBy: decidedBy ?? null,
    evidence: evidence.map(({ kind, strength, says }) => ({ kind, strength, says })),
    candidates: others.map(candidate),
  }
}

async function explanationText(span: FinishedSpan, explanation: Explanation): Promise<string> {
  const { printable } = await import('../export/display-text.js')
  const { textTable } = await import('./text-table.js')
  const { formatDuration } = await import('../export/durations.js')
  const named = (one: FinishedSpan): string => printable(`${one.resource.service}  ${one.kind}  ${one.name}`)
  const { verdict, parent, evidence, others } = explanation
  const lines = [
    `${named(span)}  ${formatDuration(span.durationNs)}`,
    `span ${span.spanId} of trace ${span.traceId}`,
    '',
    heading(explanation),
  ]
  if (parent !== undefined && verdict !== 'remote') {
    lines.push(`  ${parent.span === undefined ? 'a span that is not in the archive' : named(parent.span)}`)
    lines.push(`  span ${parent.spanId}${parent.times === '' ? '' : `; this one has ${parent.times}`}`)
  }
  if (evidence.length > 0) {
    const rows = evidence.map(({ kind, strength, says }) => [kind, strength === 0 ? '–' : figure(strength), says])
    lines.push('', textTable([{ title: 'EVIDENCE' }, { title: 'STRENGTH' }, { title: 'SAYS' }], rows).trimEnd())
  }
  if (others.length > 0) {
    const rows = others.map(({ spanId, confidence, span: other, times }) => [
      spanId,
      figure(confidence ?? 0),
      other === undefined ? 'not in the archive' : named(other),
      times,
    ])
    const columns = [{ title: 'CANDIDATE' }, { title: 'SURE' }, { title: 'OPERATION' }, { title: 'THE SPAN HAS' }]
    lines.push('', textTable(columns, rows).trimEnd())
  } else if (verdict === 'linked') {
    lines.push('', 'No other candidates are kept: there were none, or the link is at least 0.99 sure.')
  }
  return lines.join('\n')
}

function heading({ verdict, parent, decidedBy }: Explanation): string {
  switch (verdict) {
    case 'linked':
      return `Parent, decided by ${decidedBy}, confidence ${figure(parent!.confidence!)}:`
    case 'remote':
      return `Its parent is span ${parent!.spanId} of an instrumented caller, named by the traceparent of this request.`
    case 'guess':
      return `A root: the likeliest parent is below the floor of confidence, ${figure(parent!.confidence!)} by ${decidedBy}; it is kept as a link:`
    case 'root':
      return 'A root: nothing spoke for any parent.'
  }
}

const figure = (share: number): string => String(Math.round(share * 1e4) / 1e4)

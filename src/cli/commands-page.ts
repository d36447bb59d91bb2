import type { Command } from 'commander'
import { createProgram } from './program.js'

const INTRODUCTION = `# Commands

<!-- Written from the command line itself by scripts/reference-pages.mjs; edit src/cli/ instead. -->

\`ghostspan help COMMAND\` prints what is here, with examples. Results go to standard output, messages to standard error.
Every command has \`--json\`. Settings come from flags, environment, a file, defaults, in this order: see
[configuration](configuration.md).

| exit code | meaning |
| --- | --- |
| 0 | done, or stopped as asked (Ctrl-C, SIGTERM, \`--duration\`, a reader that has seen enough) |
| 1 | failed; \`doctor\`: something that \`run\` needs is missing; \`status\`: no daemon runs |
| 2 | wrong arguments or wrong settings |
| 130 | ended at once by a second Ctrl-C or SIGTERM |

Live capture (\`run\`, \`record\`, \`demo\`) needs root; everything else works without root, addon and BPF. One daemon runs on a
data folder: a second one is refused with the first one's pid; what a killed daemon left does not stand in the way.
\`GHOSTSPAN_DEBUG=1\` adds a stack to an error. \`NO_COLOR\` and \`FORCE_COLOR\` are honoured.
`

/** What \`--json\` prints, and what else is worth knowing. */
const NOTES: Readonly<Record<string, string>> = {
  run: `\`--json\` prints \`{"type": "started", …}\` with what \`/status\` shows and \`health\`, the address it is served at, and at
the end \`{"type": "stopped", "pipeline", "counters"}\`; with \`--print json\` the traces come between them.

Served on loopback, 127.0.0.1:9464: \`/metrics\` (Prometheus), \`/healthz\` (the process answers), \`/readyz\` (the capture runs,
export and archive work; else 503 with the reasons), \`/status\` (JSON). A port that is taken is told of; the daemon goes on
without, unless \`operations.health.required\` is set.`,
  record: `The file is readable by its owner alone (mode 0600). \`--redact\` keeps lengths, times and what makes the names of spans, and
puts secrets and values out of the way; the table in \`docs/recordings.md\` says what stays for each protocol. \`--json\`
prints \`{"file", "bytes", "events", "lostEvents", "samples", "traces", "redacted"}\`.`,
  replay: `The same file gives the same output, byte by byte. \`--json\` prints an object a trace, as \`run --print json\`; with
\`--print summary\` an object a file: \`{"file", "kind", "host", "events", "lostEvents", "samples", "spans", "traces", "counters"}\`.
Nothing is archived or sent unless \`--archive\` or \`--otlp\` says so.`,
  traces: `\`--json\` prints an object a trace: \`{"traceId", "startUnixNano", "name", "service", "durationNs", "spans", "services", "error"}\`.
Works beside the running daemon and without it.`,
  top: `\`--json\` prints an object a line: \`{"service", "name", "end", "calls", "errors", "perSecond", "meanNs", "p50Ns", "p90Ns", "p99Ns",
"longestNs", "requestBytes", "responseBytes"}\`.`,
  map: `\`--json\` prints \`{"since", "until", "services": [{"name", "traced"}], "edges": [{"from", "to", "protocol", …}]}\` with the figures of \`top\`.`,
  stats: `\`--json\` prints \`{"service", "since", "until", "rowsRead", "operations", "distinct", "frequent"}\`.`,
  shapes: `\`--json\` prints an object a shape: \`{"shape", "firstSeen", "lastSeen", "traces", "failed", "service", "name", "spans", "slowest",
"latest", "latestFailed", "like", "nodes"}\`.`,
  show: '`--json` prints the trace as `replay --json` does.',
  explain: `\`--json\` prints \`{"span", "verdict", "parent", "confidence", "decidedBy", "evidence": [{"kind", "strength", "says"}], "candidates": [{"spanId", "confidence", "times", "span"}]}\`;
\`verdict\` is \`linked\`, \`guess\` (a root whose likeliest parent is below the floor), \`remote\` (an instrumented caller's
span) or \`root\`. The other candidates of a link are kept where it is less than 0.99 sure.`,
  status:
    '`--json` prints `{"running": true, …}` with everything that `/status` shows, or `{"running": false, "pid": null}`.',
  doctor: `\`--json\` prints \`{"ok", "settingsFile", "checks": [{"name", "status": "ok" | "warn" | "fail", "detail", "fix"}], "warnings"}\`.
\`--build\` works in a clone and in a globally installed package; it downloads nothing.`,
  demo: 'The fields of `--json` are listed in the README.',
  'config validate': `\`--json\` prints \`{"valid", "file", "issues": [{"place", "path", "message"}], "warnings", "settings"}\`, passwords and
values of headers hidden.`,
}

/** The page docs/commands.md. */
export function commandsPage(): string {
  const sections = createProgram().commands.flatMap(command =>
    command.commands.length === 0 ? [section(command, command.name())] : subsections(command),
  )
  return `${[INTRODUCTION.trimEnd(), ...sections].join('\n\n')}\n`
}

function subsections(group: Command): string[] {
  return group.commands.map(command => section(command, `${group.name()} ${command.name()}`))
}

function section(command: Command, name: string): string {
  const args = command.registeredArguments.map(argument => {
    const dots = argument.variadic ? '...' : ''
    return argument.required ? `<${argument.name()}${dots}>` : `[${argument.name()}${dots}]`
  })
  const usage = ['ghostspan', name, '[options]', ...args].join(' ')
  const rows = command.options
    .filter(option => !option.hidden)
    .map(
      option =>
        `| \`${option.flags.replaceAll('|', '\\|')}\` | ${option.description.replaceAll('|', '\\|')}${choices(option.argChoices)} |`,
    )
  const table = ['| option | meaning |', '| --- | --- |', ...rows].join('\n')
  const note = NOTES[name]
  return [`## ${name}`, `\`${usage}\``, command.description(), table, ...(note === undefined ? [] : [note])].join(
    '\n\n',
  )
}

function choices(allowed: readonly string[] | undefined): string {
  return allowed === undefined ? '' : `: ${allowed.map(one => `\`${one}\``).join(', ')}`
}

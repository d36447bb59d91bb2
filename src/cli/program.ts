import { Command } from 'commander'
import { version } from '../version.js'
import { addCompareCommand } from './compare.js'
import { addConfigCommand } from './config.js'
import { addDemoCommand } from './demo.js'
import { addDoctorCommand } from './doctor.js'
import { addExplainCommand } from './explain.js'
import { addMapCommand } from './map.js'
import { addRecordCommand } from './record.js'
import { addReplayCommand } from './replay.js'
import { addRunCommand } from './run.js'
import { addShapesCommand } from './shapes.js'
import { addShowCommand } from './show.js'
import { addStatsCommand } from './stats.js'
import { addStatusCommand } from './status.js'
import { addTopCommand } from './top.js'
import { addTracesCommand } from './traces.js'

const DESCRIPTION =
  'Distributed traces of services that nobody can instrument: watches sockets from the Linux kernel, rebuilds ' +
  'requests as OpenTelemetry traces, sends them over OTLP and archives them in ClickHouse.'

const AFTER = `
Exit codes: 0 done or stopped as asked, 1 failed, 2 wrong arguments or settings, 130 ended by a second Ctrl-C.
Settings: flag, then environment, then file, then default; see \`ghostspan config default\`.

Examples:
  ghostspan doctor                     what this machine lacks, and how to get it
  sudo ghostspan run --print tree      trace everything, show traces in the terminal
  ghostspan traces --errors            failed requests in the archive
  ghostspan show 4f1c09                one of them as a tree
  ghostspan top                        the busiest operations
  ghostspan explain 9c41d0             why a span has the parent that it has
  ghostspan replay capture.pcapng      traces from a packet capture, without root`

/** The command line. Commands load what they need when they run, so that help is quick. */
export function createProgram(): Command {
  const program = new Command('ghostspan')
    .description(DESCRIPTION)
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .addHelpText('after', AFTER)
    .showSuggestionAfterError(true)
    .exitOverride()
  addRunCommand(program)
  addRecordCommand(program)
  addReplayCommand(program)
  addTracesCommand(program)
  addShowCommand(program)
  addExplainCommand(program)
  addCompareCommand(program)
  addTopCommand(program)
  addMapCommand(program)
  addStatsCommand(program)
  addShapesCommand(program)
  addStatusCommand(program)
  addDoctorCommand(program)
  addDemoCommand(program)
  addConfigCommand(program)
  return program
}

import { readFileSync, rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { Daemon } from '../../bench/live/daemon.js'
import { labFolder, labProcesses, runLab } from '../../bench/openstack/lab.js'
import { linkSanity } from '../../bench/openstack/link-sanity.js'
import { scoreCalls } from '../../bench/openstack/score-calls.js'
import type { TempestCall } from '../../bench/openstack/tempest-calls.js'
import { callsOfLog, emptyLog } from '../../bench/openstack/tempest-log.js'
import { spansOf, startWatching } from '../../bench/openstack/watching.js'
import { waitFor } from '../../src/demo/wait-for.js'
import { restart, standStill, startTempest } from './disturbances.js'

/**
 * What goes wrong around Ghostspan, on the real thing: whatever is seen only in part makes traces that are whole in
 * themselves, links nothing that contradicts itself, and merges no two calls of Tempest.
 */
const HELP = `npm run openstack -- bad-input [--json] [--only NAME,…] [--keep]
  started     the daemon starts in the middle of requests
  killed      the daemon is killed with -9 under load, and started again on the same archive
  restarted   nova-conductor and glance-api are restarted in the middle of requests
  broker      RabbitMQ is restarted in the middle of requests
  failures    tests that fail, and clients that give up on a service that stands still
--keep leaves the lab up.`

interface Outcome {
  readonly name: string
  /** Tempest's calls that fell into the time that was watched, with a span, and with a trace of one root and all parents. */
  readonly calls: number
  readonly traced: number
  readonly whole: number
  readonly merged: number
  readonly passed: number
  readonly failed: number
  readonly traces: number
  readonly spans: number
  readonly torn: number
  readonly wrong: number
  readonly unanswered: number
  readonly lostEvents: number
  readonly problems: readonly string[]
  /** Of `killed`: spans in the archive before, and of that time after it was opened again. */
  readonly archivedBefore?: number
  readonly archivedAfter?: number
}

/** Short tests that go through all services, server create and delete among them. */
const TESTS =
  '^tempest\\.api\\.(identity\\.v3\\.test_tokens|image\\.v2\\.test_images\\.BasicOperations|compute\\.servers\\.test_create_server\\.ServersTestJSON)'
const FAILING =
  'CredentialsTestJSON\\.test_credentials_create_get_update_delete|test_get_console_output_with_unlimited_size'
/** So many calls are going on, or have been, when something happens. */
const CALLS_BEFORE = 15
const SETTLE_MILLIS = 6_000

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    only: { type: 'string', default: 'started,killed,restarted,broker,failures' },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

const progress = (text: string): void => console.error(`bad-input: ${text}`)
const nowUs = (): number => Date.now() * 1_000
const callsSoFar = (count: number) => waitFor(() => callsOfLog().length >= count, 120_000)

interface Watched {
  readonly daemon: Daemon
  readonly sinceUs: number
}

async function judge(
  name: string,
  { daemon, sinceUs }: Watched,
  tempest: { readonly passed: number; readonly failed: number },
  more: Partial<Outcome> = {},
): Promise<Outcome> {
  await sleep(SETTLE_MILLIS)
  const { lostEvents } = await daemon.status()
  const spans = await spansOf(daemon.dataDirectory, sinceUs - 1e6, nowUs())
  const calls = callsOfLog().filter((call: TempestCall) => call.endUs - call.durationUs > sinceUs)
  const score = scoreCalls(calls, spans)
  const { problems, ...sanity } = linkSanity(spans)
  const found = { calls: calls.length, traced: score.traced, whole: score.oneRoot, merged: score.merged }
  return { name, ...found, ...tempest, ...sanity, lostEvents, problems: [...problems, ...score.problems], ...more }
}

async function started(): Promise<Outcome> {
  emptyLog()
  const tempest = startTempest(TESTS)
  await callsSoFar(CALLS_BEFORE)
  const daemon = await startWatching()
  const sinceUs = nowUs()
  const result = await tempest
  return judge('started', { daemon, sinceUs }, result).finally(() => daemon.stop())
}

async function killed(): Promise<Outcome> {
  const dataDirectory = join(await mkdtemp(join(tmpdir(), 'ghostspan-killed-')), 'data')
  const first = await startWatching(dataDirectory)
  emptyLog()
  const beganUs = nowUs()
  const tempest = startTempest(TESTS)
  await callsSoFar(3 * CALLS_BEFORE)
  // What had left as traces by then is in the archive, in whole.
  const before = (await spansOf(dataDirectory, beganUs, nowUs())).length
  const killedUs = nowUs()
  await first.kill()
  const daemon = await startWatching(dataDirectory)
  const sinceUs = nowUs()
  const result = await tempest
  try {
    const after = (await spansOf(dataDirectory, beganUs, killedUs)).length
    return await judge('killed', { daemon, sinceUs }, result, { archivedBefore: before, archivedAfter: after })
  } finally {
    await daemon.stop()
    rmSync(join(dataDirectory, '..'), { recursive: true, force: true })
  }
}

async function disturbed(name: string, disturb: () => Promise<void>, tests = TESTS): Promise<Outcome> {
  const daemon = await startWatching()
  try {
    await sleep(3_000)
    emptyLog()
    const sinceUs = nowUs()
    const tempest = startTempest(tests)
    await callsSoFar(tests === TESTS ? CALLS_BEFORE : 3)
    await disturb()
    return await judge(name, { daemon, sinceUs }, await tempest)
  } finally {
    await daemon.stop()
  }
}

/** glance-api stands still: three clients give up on it, and their calls never get an answer in time. */
async function clientsGiveUp(): Promise<void> {
  const pid = Number(readFileSync(join(labFolder, 'run', 'glance-api.pid'), 'utf8'))
  await standStill(pid, async () => {
    const calls = [1, 2, 3].map(() =>
      fetch('http://127.0.0.1:9292/v2/images', { signal: AbortSignal.timeout(1_500) }).catch(() => undefined),
    )
    await Promise.all(calls)
  })
}

const SCENARIOS: Readonly<Record<string, () => Promise<Outcome>>> = {
  started,
  killed,
  restarted: () => disturbed('restarted', () => restart(['nova-conductor', 'glance-api'])),
  broker: () => disturbed('broker', () => restart(['rabbitmq'])),
  failures: () =>
    disturbed('failures', clientsGiveUp, `${FAILING}|^tempest\\.api\\.image\\.v2\\.test_images\\.BasicOperations`),
}

async function main(): Promise<number> {
  if (process.getuid?.() !== 0) throw new Error('root is needed, for the lab and for BPF programs')
  const wasUp = labProcesses().services.length > 0
  const up = await runLab('up', [], {}, line => (wasUp ? undefined : progress(`  ${line}`)))
  if (up.code !== 0) throw new Error(`the lab does not start:\n${up.output.slice(-1_000)}`)
  const outcomes: Outcome[] = []
  try {
    for (const name of values.only.split(',')) {
      const scenario = SCENARIOS[name]
      if (scenario === undefined) throw new Error(`--only ${name}: one of ${Object.keys(SCENARIOS).join(', ')}`)
      progress(`${name} …`)
      const outcome = await scenario()
      outcomes.push(outcome)
      const { problems, ...figures } = outcome
      progress(JSON.stringify(figures))
      for (const problem of problems.slice(0, 8)) progress(`  ${problem}`)
    }
  } finally {
    if (!wasUp && !values.keep) await runLab('down', [], {}, () => {})
  }
  const bad = outcomes.filter(
    each =>
      each.merged + each.torn + each.wrong + each.lostEvents > 0 ||
      each.traced < each.calls ||
      (each.archivedAfter ?? 0) < (each.archivedBefore ?? 0),
  )
  if (values.json) console.log(JSON.stringify({ outcomes, reached: bad.length === 0 }))
  return bad.length === 0 ? 0 : 1
}

try {
  if (values.help) console.log(HELP)
  else process.exitCode = await main()
} catch (problem) {
  console.error(`bad-input: ${problem instanceof Error ? problem.message : problem}`)
  process.exitCode = 1
}

import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Conversation } from './protocols/conversation.js'
import { conversations } from './protocols/conversations/index.js'
import { cutCapture } from './protocols/cut-capture.js'
import { type MeasuredReading, measureReading } from './protocols/measure-reading.js'
import { readSamples } from './protocols/read-samples.js'
import { recordConversation } from './protocols/record-conversation.js'
import { usedResources } from './protocols/used-resources.js'

/**
 * What a request costs from a packet capture to finished samples, on one core, against tshark on the same file in the
 * same run. The captures are made on the spot: a real server, its usual client, every packet of theirs. Needs root.
 */
const HELP = `bench:protocols [--json] [--check] [--short] [--requests N] [--protocol NAME,…]
  --requests  of each protocol (default 50,000; --short: 5,000, which shows that it works: what tshark takes to start is
              nearly all that it takes then, and figures are rough)
  --protocol  ${conversations
    .filter(({ isMeasured }) => isMeasured !== false)
    .map(({ name }) => name)
    .join(', ')}
  --keep DIR  keep the captures there`

/** A capture's first part, whose memory is compared with the whole one's. */
const PART = 0.25
/** Resident memory that may come with a file four times as long: heaps grow to their working size. */
const MOST_GROWTH_MIB = 48
const MIB = 1 << 20

interface Row {
  readonly name: string
  readonly requests: number
  readonly fileMiB: number
  readonly requestsPerCpuS: number
  readonly mbPerCpuS: number
  /** The first pass over the file, cold. */
  readonly firstRequestsPerCpuS: number
  readonly bytesAllocatedPerRequest: number
  readonly tsharkRequestsPerCpuS: number | null
  readonly timesTshark: number | null
  readonly goal: number
  /** Largest resident memory with the first quarter of the file, and with all of it. */
  readonly memory: { readonly oursMiB: readonly number[]; readonly tsharkMiB: readonly number[] }
}

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    short: { type: 'boolean', default: false },
    requests: { type: 'string' },
    protocol: { type: 'string' },
    keep: { type: 'string' },
    child: { type: 'string' },
    file: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

const progress = (text: string): void => console.error(`bench:protocols: ${text}`)
const skipped: { what: string; why: string }[] = []

if (values.help) console.log(HELP)
else if (values.child === 'measure') console.log(JSON.stringify(measureReading(values.file!)))
else if (values.child === 'once') console.log(JSON.stringify(readSamples(values.file!)))
else {
  // Ending takes the servers along.
  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.once(signal, () => process.exit(status))
  }
  try {
    process.exitCode = await main()
  } catch (problem) {
    console.error(`bench:protocols: cannot be measured: ${problem instanceof Error ? problem.message : problem}`)
    process.exitCode = 1
  }
}

async function main(): Promise<number> {
  if (process.getuid?.() !== 0) throw new Error('root is needed to record packets')
  const requests = Number(values.requests ?? (values.short ? 5_000 : 50_000))
  if (!Number.isSafeInteger(requests) || requests < 100) throw new Error('--requests wants a number from 100 on')
  const rows: Row[] = []
  for (const conversation of chosen()) {
    const missing = conversation.needs.filter(({ met }) => !met()).map(({ what }) => what)
    if (missing.length > 0) skipped.push({ what: conversation.name, why: `needs ${missing.join(', ')}` })
    else rows.push(await measure(conversation, requests))
    progress(
      missing.length > 0 ? `${conversation.name} is left out: needs ${missing.join(', ')}` : lineOf(rows.at(-1)!),
    )
  }
  const misses = rows.flatMap(missesOf)
  for (const miss of misses) progress(`misses its goal: ${miss}`)
  const tsharkRequestsPerCpuS = Object.fromEntries(rows.map(row => [row.name, row.tsharkRequestsPerCpuS]))
  if (values.json) console.log(JSON.stringify({ protocols: rows, tsharkRequestsPerCpuS, misses, skipped }))
  return values.check && misses.length > 0 ? 1 : 0
}

function chosen(): readonly Conversation[] {
  const measured = conversations.filter(({ isMeasured }) => isMeasured !== false)
  if (values.protocol === undefined) return measured
  const names = values.protocol.split(',')
  for (const name of names) {
    if (!measured.some(each => each.name === name)) throw new Error(`there is no protocol ${name}`)
  }
  return measured.filter(({ name }) => names.includes(name))
}

async function measure(conversation: Conversation, requests: number): Promise<Row> {
  const folder = await mkdtemp(join(tmpdir(), 'ghostspan-bench-'))
  const file = join(values.keep ?? folder, `${conversation.name}.pcap`)
  try {
    progress(`${conversation.name}: ${requests} requests`)
    const { port } = await recordConversation(conversation, requests, file)
    return await compare(conversation, file, join(folder, 'part.pcap'), port, requests)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function compare(
  { name, goal, tshark, countedByTshark }: Conversation,
  file: string,
  part: string,
  port: number,
  asked: number,
): Promise<Row> {
  cutCapture(file, PART, part)
  const { size } = await stat(file)
  const theirs = tshark === undefined ? undefined : tsharkArguments(tshark, String(port))
  const told = theirs === undefined ? undefined : await usedResources('tshark', theirs(file))
  const ours = JSON.parse((await child('measure', file)).last) as MeasuredReading
  // Its start is not the file's: it is measured by a look at one packet, and left out.
  const start = theirs === undefined ? undefined : await usedResources('tshark', [...theirs(file), '-c', '1'])
  const requests = countedByTshark === true && told !== undefined ? told.lines : asked
  if (ours.samples < requests * 0.999) {
    throw new Error(`${name}: ${ours.samples} of ${requests} requests were read out of the capture`)
  }
  const memory = {
    oursMiB: [(await child('once', part)).rssMiB, (await child('once', file)).rssMiB],
    tsharkMiB: theirs === undefined ? [] : [(await usedResources('tshark', theirs(part))).rssMiB, told!.rssMiB],
  }
  const perSecond = told === undefined ? null : requests / (told.cpuS - start!.cpuS)
  if (perSecond === null) skipped.push({ what: `tshark on ${name}`, why: 'it does not know the protocol' })
  return {
    name,
    requests,
    fileMiB: size / MIB,
    requestsPerCpuS: requests / ours.cpuS,
    mbPerCpuS: size / 1e6 / ours.cpuS,
    firstRequestsPerCpuS: requests / ours.firstCpuS,
    bytesAllocatedPerRequest: ours.allocatedBytes / requests,
    tsharkRequestsPerCpuS: perSecond,
    timesTshark: perSecond === null ? null : requests / ours.cpuS / perSecond,
    goal,
    memory,
  }
}

function tsharkArguments(view: NonNullable<Conversation['tshark']>, port: string): (file: string) => string[] {
  const rules = view.decodeAs([port]).flatMap(rule => ['-d', rule])
  const fields = view.fields.flatMap(field => ['-e', field])
  return file => ['-n', '-r', file, ...rules, '-Y', view.filter([port]), '-T', 'fields', ...fields]
}

async function child(mode: string, file: string) {
  const args = [...process.execArgv, fileURLToPath(import.meta.url), '--child', mode, '--file', file]
  const used = await usedResources(process.execPath, args)
  if (used.status !== 0) throw new Error(`reading ${file} ended with ${used.status}`)
  return used
}

function lineOf(row: Row): string {
  const { oursMiB, tsharkMiB } = row.memory
  const times = row.timesTshark === null ? '' : `, ${row.timesTshark.toFixed(1)} × tshark (goal ${row.goal})`
  return (
    `${row.name}: ${(1e6 / row.requestsPerCpuS).toFixed(1)} µs a request (${(1e6 / row.firstRequestsPerCpuS).toFixed(1)} ` +
    `in the first pass)${times}, ${row.mbPerCpuS.toFixed(0)} MB a CPU second, ` +
    `${row.bytesAllocatedPerRequest.toFixed(0)} bytes allocated; memory ${oursMiB.map(Math.round).join(' → ')} MiB, ` +
    `tshark ${tsharkMiB.map(Math.round).join(' → ')}`
  )
}

function missesOf(row: Row): string[] {
  const misses: string[] = []
  if (row.timesTshark !== null && row.timesTshark < row.goal) {
    misses.push(`${row.name}: ${row.timesTshark.toFixed(1)} × tshark, ${row.goal} wanted`)
  }
  const { allocationGoal = Number.POSITIVE_INFINITY } = conversations.find(({ name }) => name === row.name)!
  if (row.bytesAllocatedPerRequest > allocationGoal) {
    misses.push(`${row.name}: ${row.bytesAllocatedPerRequest.toFixed(0)} bytes a request, ${allocationGoal} wanted`)
  }
  const [part = 0, whole = 0] = row.memory.oursMiB
  if (whole - part > MOST_GROWTH_MIB) misses.push(`${row.name}: memory grows with the file, ${part} → ${whole} MiB`)
  return misses
}

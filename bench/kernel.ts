/**
 * What the kernel side adds to a system call: `npm run bench:kernel -- [--json] [--check] [--rounds N]`.
 *
 * One process sends itself 256 bytes over a loopback TCP connection, with nothing attached and with each
 * configuration attached, in turns. Time is the process' own CPU time; of one measurement the lower quartile of its laps,
 * and of all rounds the median difference between two measurements right after one another: what else the machine does
 * falls on both.
 */
import { release } from 'node:os'
import { loadNativeAddon, nativePaths } from '../src/capture/native-addon.js'
import { type CallKind, type Calls, startCalls } from './kernel/calls.js'
import { createConfigurations, type KernelConfiguration } from './kernel/configurations.js'

interface Row {
  readonly name: string
  /** Added to one call, in ns. */
  readonly addedNs: number
  /** … as a share of an un-hooked loopback TCP call. */
  readonly share: number
  readonly goal?: number
}

const GOALS: Readonly<Record<string, number>> = {
  captured256: 0.17,
  counted: 0.05,
  untraced: 0.045,
  kernelSketch: 0.04,
  otherSyscall: 0,
}
/** Where calls that are not on sockets are measured as well: configuration, and what its figures are kept under. */
const OTHER_CALLS_OF = [
  ['captured256', ''],
  ['syscall256', 'syscall/'],
] as const
/** Two runs of the very same call differ by this much of themselves: less than that is nothing. */
const SYSCALL_NOISE = 0.02
/** Laps of one measurement: of 100 calls over TCP, of 1,000 other calls. */
const LAPS: Readonly<Record<CallKind, number>> = { tcp: 250, getppid: 50, null: 50 }

async function main(args: readonly string[]): Promise<number> {
  const rounds = numberAfter(args, '--rounds') ?? 25
  const addon = loadNativeAddon(nativePaths().addon)
  const calls = await startCalls()
  await calls.connect()
  const configurations = await createConfigurations(addon, nativePaths(), calls)
  try {
    const { unhooked, added } = await measure(configurations, calls, rounds)
    const failed = configurations.find(({ carriers }) => carriers().failed > 0)
    if (failed !== undefined)
      throw new Error(`${failed.name}: carriers could not be looked up, the figures mean nothing`)
    const addedTo = (name: string): number => median(added.get(name)!)
    const rows: Row[] = configurations.map(({ name }) => rowOf(name, addedTo(name), unhooked.tcp))
    // A call whose carrier is looked up, less the same call of a thread.
    for (const kind of ['greenlet', 'asyncio']) {
      rows.push(rowOf(kind, addedTo(`${kind}256`) - addedTo('captured256'), unhooked.tcp))
    }
    // What is always on, measured where nothing else is done.
    rows.push(rowOf('kernelSketch', addedTo('sketched') - addedTo('counted'), unhooked.tcp))
    const otherNs = Math.max(
      beyondNoise(addedTo('getppid'), unhooked.getppid),
      beyondNoise(addedTo('null'), unhooked.null),
    )
    rows.push(rowOf('otherSyscall', otherNs, unhooked.tcp))
    // The capture for older kernels: of calls that move no bytes, and of a write to a file by a traced process.
    rows.push(rowOf('syscallOther', addedTo('syscall/getppid'), unhooked.tcp))
    rows.push(rowOf('syscallFile', addedTo('syscall/null'), unhooked.tcp))
    const result = {
      hooks: 'tp_btf/sock_send_length, tp_btf/sock_recv_length, socket storage',
      olderHooks: 'tp_btf/sys_exit, hash map (rows syscall…)',
      kernel: release(),
      unhookedNs: unhooked.tcp,
      otherSyscalls: {
        ...{ getppidNs: unhooked.getppid, getppidAddedNs: addedTo('getppid') },
        ...{ nullWriteNs: unhooked.null, nullWriteAddedNs: addedTo('null') },
      },
      rounds,
      events: configurations.map(({ name, events, lost, carriers }) => ({
        ...{ name, events: events(), lost: lost() },
        carriers: carriers(),
      })),
      rows,
      skipped: [],
    }
    if (args.includes('--json')) process.stdout.write(`${JSON.stringify(result)}\n`)
    else printTable(unhooked.tcp, rows)
    const missed = rows.filter(row => row.goal !== undefined && row.share > row.goal)
    for (const row of missed) process.stderr.write(`bench:kernel: ${row.name} missed its goal of ${row.goal}\n`)
    return args.includes('--check') && missed.length > 0 ? 1 : 0
  } finally {
    for (const configuration of configurations) configuration.close()
    await calls.stop()
  }
}

interface Measured {
  /** Least ns of an un-hooked call of each kind. */
  readonly unhooked: Readonly<Record<CallKind, number>>
  /** ns added per call, over the rounds: each time with and without right after one another. */
  readonly added: ReadonlyMap<string, number[]>
}

async function measure(
  configurations: readonly KernelConfiguration[],
  calls: Calls,
  rounds: number,
): Promise<Measured> {
  const unhooked = { tcp: Number.POSITIVE_INFINITY, getppid: Number.POSITIVE_INFINITY, null: Number.POSITIVE_INFINITY }
  const added = new Map<string, number[]>()
  const compare = async (configuration: KernelConfiguration, name: string, kind: CallKind): Promise<void> => {
    const without = await calls.run(kind, LAPS[kind])
    unhooked[kind] = Math.min(unhooked[kind], without)
    configuration.attach()
    const stopDraining = configuration.drain()
    try {
      const attached = await calls.run(kind, LAPS[kind])
      added.set(name, [...(added.get(name) ?? []), attached - without])
    } finally {
      stopDraining()
      configuration.detach()
    }
  }
  for (let round = 0; round < rounds; round++) {
    process.stderr.write(`\rbench:kernel: round ${round + 1} of ${rounds}`)
    for (const configuration of configurations) await compare(configuration, configuration.name, 'tcp')
    for (const [name, prefix] of OTHER_CALLS_OF) {
      const configuration = configurations.find(each => each.name === name)!
      await compare(configuration, `${prefix}getppid`, 'getppid')
      await compare(configuration, `${prefix}null`, 'null')
    }
  }
  process.stderr.write('\n')
  return { unhooked, added }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** 0 where it is less than two runs of the very same call differ by. */
function beyondNoise(addedNs: number, unhookedNs: number): number {
  return Math.abs(addedNs) <= unhookedNs * SYSCALL_NOISE ? 0 : addedNs
}

function rowOf(name: string, addedNs: number, unhookedNs: number): Row {
  const goal = GOALS[name]
  const share = Math.round((addedNs / unhookedNs) * 1e4) / 1e4
  return { name, addedNs: Math.round(addedNs * 10) / 10, share, ...(goal === undefined ? {} : { goal }) }
}

function printTable(unhookedNs: number, rows: readonly Row[]): void {
  process.stdout.write(`un-hooked loopback TCP send or receive of 256 bytes: ${unhookedNs.toFixed(0)} ns\n`)
  for (const { name, addedNs, share, goal } of rows) {
    const goalText = goal === undefined ? '' : `   goal ${(goal * 100).toFixed(1)} %`
    process.stdout.write(
      `${name.padEnd(14)} +${addedNs.toFixed(1).padStart(7)} ns  ${(share * 100).toFixed(1).padStart(5)} %${goalText}\n`,
    )
  }
}

function numberAfter(args: readonly string[], flag: string): number | undefined {
  const at = args.indexOf(flag)
  return at === -1 ? undefined : Number(args[at + 1])
}

main(process.argv.slice(2)).then(
  code => {
    process.exitCode = code
  },
  error => {
    process.stderr.write(`bench:kernel: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  },
)

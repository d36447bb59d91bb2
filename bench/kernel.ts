/**
 * What the kernel side adds to a system call: `npm run bench:kernel -- [--json] [--check] [--rounds N]`.
 *
 * One process sends itself 256 bytes over a loopback TCP connection, with nothing attached and with each
 * configuration attached, in turns; the minimum of all rounds counts, because everything else on the machine only adds.
 */
import { release } from 'node:os'
import { loadNativeAddon, nativePaths } from '../src/capture/native-addon.js'
import { startCalls } from './kernel/calls.js'
import { createConfigurations, type KernelConfiguration } from './kernel/configurations.js'

interface Row {
  readonly name: string
  /** Added to one call, in ns. */
  readonly addedNs: number
  /** … as a share of an un-hooked loopback TCP call. */
  readonly share: number
  readonly goal?: number
}

const GOALS: Readonly<Record<string, number>> = { captured256: 0.17, counted: 0.05, untraced: 0.045, otherSyscall: 0 }
/** Two runs of the very same call differ by this much of themselves: less than that is nothing. */
const SYSCALL_NOISE = 0.02
/** Short bursts, so that some of them run undisturbed. */
const BURSTS = 12
const CALLS_PER_BURST = 3_000
const SYSCALLS_PER_BURST = 20_000

async function main(args: readonly string[]): Promise<number> {
  const rounds = numberAfter(args, '--rounds') ?? 25
  const addon = loadNativeAddon(nativePaths().addon)
  const calls = await startCalls()
  await calls.connect()
  const configurations = createConfigurations(addon, nativePaths().bpf, calls)
  try {
    const minima = await measure(configurations, calls, rounds)
    const unhookedNs = minima.get('unhooked')!
    const rows: Row[] = configurations.map(({ name }) => rowOf(name, minima.get(name)! - unhookedNs, unhookedNs))
    const otherNs = Math.max(
      differenceBeyondNoise(minima.get('getppid')!, minima.get('getppid attached')!),
      differenceBeyondNoise(minima.get('null')!, minima.get('null attached')!),
    )
    rows.push(rowOf('otherSyscall', otherNs, unhookedNs))
    const result = {
      hooks: 'tp_btf/sock_send_length, tp_btf/sock_recv_length, socket storage',
      kernel: release(),
      unhookedNs,
      getppidNs: minima.get('getppid'),
      getppidAttachedNs: minima.get('getppid attached'),
      nullWriteNs: minima.get('null'),
      nullWriteAttachedNs: minima.get('null attached'),
      rounds,
      events: configurations.map(({ name, events, lost }) => ({ name, events: events(), lost: lost() })),
      rows,
      skipped: [{ what: 'carriers, kernel sketch', why: 'not part of the capture yet' }],
    }
    if (args.includes('--json')) process.stdout.write(`${JSON.stringify(result)}\n`)
    else printTable(unhookedNs, rows)
    const missed = rows.filter(row => row.goal !== undefined && row.share > row.goal)
    for (const row of missed) process.stderr.write(`bench:kernel: ${row.name} missed its goal of ${row.goal}\n`)
    return args.includes('--check') && missed.length > 0 ? 1 : 0
  } finally {
    for (const configuration of configurations) configuration.close()
    await calls.stop()
  }
}

async function measure(
  configurations: readonly KernelConfiguration[],
  calls: Awaited<ReturnType<typeof startCalls>>,
  rounds: number,
): Promise<Map<string, number>> {
  const minima = new Map<string, number>()
  const note = (name: string, value: number): void => {
    minima.set(name, Math.min(minima.get(name) ?? Number.POSITIVE_INFINITY, value))
  }
  const burst = async (name: string, what: 'tcp' | 'getppid' | 'null', count: number): Promise<void> => {
    for (let i = 0; i < BURSTS; i++) note(name, await calls.run(what, count))
  }
  for (let round = 0; round < rounds; round++) {
    process.stderr.write(`\rbench:kernel: round ${round + 1} of ${rounds}`)
    await burst('unhooked', 'tcp', CALLS_PER_BURST)
    await burst('getppid', 'getppid', SYSCALLS_PER_BURST)
    await burst('null', 'null', SYSCALLS_PER_BURST)
    for (const configuration of configurations) {
      configuration.attach()
      const stopDraining = configuration.drain()
      try {
        await burst(configuration.name, 'tcp', CALLS_PER_BURST)
        if (configuration === configurations[0]) {
          await burst('getppid attached', 'getppid', SYSCALLS_PER_BURST)
          await burst('null attached', 'null', SYSCALLS_PER_BURST)
        }
      } finally {
        stopDraining()
        configuration.detach()
      }
    }
  }
  process.stderr.write('\n')
  return minima
}

function differenceBeyondNoise(without: number, attached: number): number {
  const added = attached - without
  return Math.abs(added) <= without * SYSCALL_NOISE ? 0 : added
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

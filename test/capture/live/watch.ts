import { spawn, spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createCaptureClock } from '../../../src/capture/capture-clock.js'
import { CLOSE, CONNECTION, EventFlag, Op, PROCESS } from '../../../src/capture/event-layout.js'
import { type EventHandler, EventReader } from '../../../src/capture/event-reader.js'
import { createLiveSource, type LiveSource, type LiveSourceOptions } from '../../../src/capture/live-source.js'
import { nativePaths, packageRoot } from '../../../src/capture/native-addon.js'
import type { ProcessInfo } from '../../../src/capture/process-info.js'
import { type Counters, createCounters } from '../../../src/telemetry/counters.js'
import { hooksOfTests } from '../../support/hooks.js'
import { btf, file, program, requires, root } from '../../support/requirements.js'

export interface SeenData {
  readonly op: 'send' | 'receive'
  readonly pid: number
  readonly tid: number
  readonly connection: number
  readonly position: number
  readonly length: number
  readonly head: string
  readonly tail: string
  readonly uncopied: boolean
  readonly endOfFile: boolean
}

export interface SeenConnection {
  readonly op: 'connect' | 'connection'
  readonly pid: number
  readonly tid: number
  readonly connection: number
  readonly localIsn: number
  readonly remoteIsn: number
  readonly role: number
  readonly transport: number
  readonly family: number
  readonly localPort: number
  readonly remotePort: number
  readonly localAddress: string
  readonly remoteAddress: string
  readonly localIdentity: number
  readonly remoteIdentity: number
  readonly midlife: boolean
}

export interface SeenClose {
  readonly op: 'close'
  readonly connection: number
  readonly pid: number
  readonly uncopiedCalls: number
  readonly uncopiedSentBytes: number
  readonly uncopiedReceivedBytes: number
}

export interface SeenProcess {
  readonly op: 'fork' | 'exec' | 'exit'
  readonly pid: number
  readonly parent: number
  readonly comm: string
}

export interface SeenText {
  readonly op: 'processInfo' | 'lost'
  readonly pid: number
  readonly value: unknown
}

export type Seen = SeenData | SeenConnection | SeenClose | SeenProcess | SeenText

const NAME_BY_OP: Readonly<Record<number, Seen['op']>> = {
  [Op.send]: 'send',
  [Op.receive]: 'receive',
  [Op.connect]: 'connect',
  [Op.connection]: 'connection',
  [Op.close]: 'close',
  [Op.fork]: 'fork',
  [Op.exec]: 'exec',
  [Op.exit]: 'exit',
  [Op.processInfo]: 'processInfo',
  [Op.lost]: 'lost',
}

export const isData = (seen: Seen): seen is SeenData => seen.op === 'send' || seen.op === 'receive'
export const isConnection = (seen: Seen): seen is SeenConnection => seen.op === 'connection'
export const isConnect = (seen: Seen): seen is SeenConnection => seen.op === 'connect'
export const isClose = (seen: Seen): seen is SeenClose => seen.op === 'close'
export const isProcessInfo = (seen: Seen): seen is SeenText => seen.op === 'processInfo'
export const infoOf = (seen: SeenText): ProcessInfo => seen.value as ProcessInfo

/** A live capture under test: everything that it handed over, in order. */
export interface Watch {
  readonly source: LiveSource
  readonly counters: Counters
  readonly seen: readonly Seen[]
  /** Reads until the condition holds; fails after 20 s. */
  until(what: string, holds: (seen: readonly Seen[]) => boolean): Promise<void>
  /** Reads what there is, until the ring stays empty for a moment. */
  settle(): Promise<void>
  /** Everything of one process. */
  of(pid: number): Seen[]
}

const LIMIT_MILLIS = 20_000
const SETTLE_MILLIS = 60

/** Whether this machine can capture at all; skips the test otherwise. */
export function canCapture(t: TestContext, ...programs: readonly string[]): boolean {
  return requires(
    t,
    root,
    btf,
    file(nativePaths().addon, 'the addon (npm run build:native)'),
    file(nativePaths().bpf, 'the BPF object (npm run build:native)'),
    ...programs.map(program),
  )
}

/** Starts a capture that ends with the test. What the test starts is not ours: it is to be seen. */
export async function startWatch(t: TestContext, options: Partial<LiveSourceOptions> = {}): Promise<Watch> {
  const counters = createCounters()
  const source = await createLiveSource({
    counters,
    ownChildren: false,
    lossMillis: 20,
    hooks: hooksOfTests,
    ...options,
  })
  t.after(() => source.close())
  const seen: Seen[] = []
  const reader = new EventReader(createCaptureClock(source.origin))
  const handler = collectInto(seen)
  const drain = (): number => {
    let records = 0
    for (let batch: Uint8Array | undefined; (batch = source.read()) !== undefined; ) {
      records += reader.read(batch, handler)
    }
    return records
  }
  const settle = async (): Promise<void> => {
    do await sleep(SETTLE_MILLIS)
    while (drain() > 0)
  }
  return {
    source,
    counters,
    seen,
    settle,
    async until(what, holds) {
      const end = performance.now() + LIMIT_MILLIS
      for (drain(); !holds(seen); drain()) {
        if (performance.now() > end) throw new Error(`not seen within ${LIMIT_MILLIS / 1000} s: ${what}`)
        await sleep(5)
      }
    },
    of: pid => seen.filter(each => each.op !== 'lost' && each.pid === pid),
  }
}

function collectInto(seen: Seen[]): EventHandler {
  const text = new TextDecoder('latin1')
  return {
    data(record) {
      const { payload, headLength, tailLength, bytes } = record
      seen.push({
        op: NAME_BY_OP[record.op] as SeenData['op'],
        pid: record.pid,
        tid: record.tid,
        connection: record.connection,
        position: record.position,
        length: record.length,
        head: text.decode(bytes.subarray(payload, payload + headLength)),
        tail: text.decode(bytes.subarray(payload + headLength, payload + headLength + tailLength)),
        uncopied: (record.flags & EventFlag.uncopied) !== 0,
        endOfFile: (record.flags & EventFlag.eof) !== 0,
      })
    },
    connection(record) {
      const address = (field: number): string =>
        Buffer.from(record.bytes.subarray(record.offset + field, record.offset + field + 16)).toString('hex')
      seen.push({
        op: NAME_BY_OP[record.op] as SeenConnection['op'],
        pid: record.pid,
        tid: record.tid,
        connection: record.connection,
        localIsn: record.u32(CONNECTION.localIsn),
        remoteIsn: record.u32(CONNECTION.remoteIsn),
        role: record.u8(CONNECTION.role),
        transport: record.u8(CONNECTION.transport),
        family: record.u16(CONNECTION.family),
        localPort: record.u16(CONNECTION.localPort),
        remotePort: record.u16(CONNECTION.remotePort),
        localAddress: address(CONNECTION.localAddress),
        remoteAddress: address(CONNECTION.remoteAddress),
        localIdentity: record.u64(CONNECTION.localIdentity),
        remoteIdentity: record.u64(CONNECTION.remoteIdentity),
        midlife: (record.flags & EventFlag.midlife) !== 0,
      })
    },
    close(record) {
      seen.push({
        op: 'close',
        connection: record.connection,
        pid: record.pid,
        uncopiedCalls: record.u64(CLOSE.uncopiedCalls),
        uncopiedSentBytes: record.u64(CLOSE.uncopiedSentBytes),
        uncopiedReceivedBytes: record.u64(CLOSE.uncopiedReceivedBytes),
      })
    },
    process(record) {
      const comm = record.bytes.subarray(record.offset + PROCESS.comm, record.offset + PROCESS.comm + 16)
      seen.push({
        op: NAME_BY_OP[record.op] as SeenProcess['op'],
        pid: record.pid,
        parent: record.u32(PROCESS.parent),
        comm: text.decode(comm).replace(/\0.*$/s, ''),
      })
    },
    taskBirth() {},
    text(record, json) {
      seen.push({ op: NAME_BY_OP[record.op] as SeenText['op'], pid: record.pid, value: JSON.parse(json) })
    },
  }
}

/** Compiles test/capture/live/<name>.c; returns the program's path. Gone with the test. */
export function compile(t: TestContext, name: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'ghostspan-test-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const source = join(packageRoot(), 'test/capture/live', `${name}.c`)
  const output = join(folder, name)
  const result = spawnSync('cc', ['-O1', '-Wall', '-Wextra', '-o', output, source], { encoding: 'utf8' })
  if (result.status !== 0) throw new Error(`cannot compile ${source}: ${result.stderr}`)
  return output
}

export interface Run {
  readonly pid: number
  /** Whole lines of its standard output so far. */
  lines(): string[]
  /** Waits for a line of its standard output. */
  says(line: string): Promise<void>
  /** Lets it go on: a line on its standard input. */
  goOn(): void
  /** Its exit status. */
  readonly ended: Promise<number | null>
}

/**
 * Starts a program that the test ends with at the latest. Its input and output are a pipe and a file, not the Unix
 * sockets that Node.js would use: those would be seen.
 */
export function start(t: TestContext, command: string, args: readonly string[]): Run {
  const folder = mkdtempSync(join(tmpdir(), 'ghostspan-test-'))
  const input = join(folder, 'input')
  const output = join(folder, 'output')
  if (spawnSync('mkfifo', [input]).status !== 0) throw new Error(`mkfifo ${input} failed`)
  const inputEnd = openSync(input, 'r+')
  const outputEnd = openSync(output, 'w')
  const child = spawn(command, args, { stdio: [inputEnd, outputEnd, 'inherit'] })
  const ended = new Promise<number | null>(resolve => child.once('close', resolve))
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await ended
    closeSync(inputEnd)
    closeSync(outputEnd)
    rmSync(folder, { recursive: true, force: true })
  })
  const lines = (): string[] => readFileSync(output, 'latin1').split('\n').slice(0, -1)
  return {
    pid: child.pid!,
    lines,
    async says(line) {
      const end = performance.now() + LIMIT_MILLIS
      while (!lines().includes(line)) {
        if (child.exitCode !== null) throw new Error(`${command} ended (${child.exitCode}) before it said ${line}`)
        if (performance.now() > end) throw new Error(`${command} did not say ${line} within ${LIMIT_MILLIS / 1000} s`)
        await sleep(5)
      }
    },
    goOn: () => {
      writeSync(inputEnd, '\n')
    },
    ended,
  }
}

export const python = (t: TestContext, source: string): Run => start(t, '/usr/bin/python3', ['-c', source])

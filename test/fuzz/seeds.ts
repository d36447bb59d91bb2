import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createCaptureClock } from '../../src/capture/capture-clock.js'
import { decodeConnection } from '../../src/capture/connection-record.js'
import { Op } from '../../src/capture/event-layout.js'
import { type EventHandler, EventReader } from '../../src/capture/event-reader.js'
import { openCapture } from '../../src/capture/open-capture.js'
import { createProcesses } from '../../src/capture/processes.js'
import type { ProtocolModule } from '../../src/protocols/protocol.js'
import { protocolModules } from '../../src/protocols/registry.js'
import { createCounters } from '../../src/telemetry/counters.js'
import type { Call } from '../protocols/conversation.js'
import type { CodecCase } from '../protocols/harness.js'
import { callsOf, floods } from './floods.js'

/** A conversation that the module reads as it should; mutants are made of it. */
export interface Seed {
  readonly module: ProtocolModule
  readonly name: string
  readonly conversation: readonly Call[]
  readonly joined: boolean
}

const LONGEST_CONVERSATION = 64 * 1024
const LONGEST_FLOOD = 2 * 1024

/** All there are: fixtures, floods, and the captures below the folders. The order is always the same. */
export async function allSeeds(folders: readonly string[]): Promise<Seed[]> {
  const seeds = [...(await fixtureSeeds()), ...floodSeeds()]
  for (const folder of folders) seeds.push(...(await captureSeeds(folder)))
  return seeds
}

/** The project's own fixtures: all cases of `test/protocols/*-cases`. */
async function fixtureSeeds(): Promise<Seed[]> {
  const folder = new URL('../protocols/', import.meta.url)
  const seeds: Seed[] = []
  for (const file of readdirSync(folder)
    .filter(name => /-cases\.(ts|js)$/.test(name))
    .sort()) {
    const { module, cases } = (await import(new URL(file, folder).href)) as {
      module: ProtocolModule
      cases: readonly CodecCase[]
    }
    for (const { name, conversation, joined, failed } of cases) {
      if (failed !== true)
        seeds.push({ module, name: `${module.name}: ${name}`, conversation, joined: joined === true })
    }
  }
  return seeds
}

/** The beginnings of floods. */
function floodSeeds(): Seed[] {
  return floods.map(flood => {
    return { module: flood.module, name: flood.name, conversation: callsOf(flood, LONGEST_FLOOD), joined: false }
  })
}

/** Connections in all packet captures below a folder, each with the module that knows its first bytes. */
async function captureSeeds(folder: string): Promise<Seed[]> {
  const seeds: Seed[] = []
  const files = (readdirSync(folder, { recursive: true }) as string[]).filter(name => /\.(pcap|pcapng)$/.test(name))
  for (const file of files.sort()) {
    for (const conversation of await conversationsOf(join(folder, file))) {
      const first = conversation.find(({ bytes }) => bytes.length > 0)
      if (first === undefined) continue
      const module = protocolModules.find(
        each => each.detect(first.bytes, 0, Math.min(256, first.bytes.length)).match !== 'no',
      )
      if (module !== undefined) seeds.push({ module, name: `${module.name}: ${file}`, conversation, joined: true })
    }
  }
  return seeds
}

async function conversationsOf(file: string): Promise<Call[][]> {
  const source = await openCapture(file, createCounters())
  const reader = new EventReader(createCaptureClock(source.origin))
  const processes = createProcesses()
  const found = new Map<number, { isServer: boolean; calls: Call[]; bytes: number }>()
  const ignore = (): void => {}
  const handler: EventHandler = {
    data: record => {
      const known = found.get(record.connection)
      if (known === undefined || !known.isServer || known.bytes > LONGEST_CONVERSATION || record.length <= 0) return
      known.bytes += record.headLength
      known.calls.push({
        sender: record.op === Op.receive ? 'client' : 'server',
        bytes: record.bytes.slice(record.payload, record.payload + record.headLength),
      })
    },
    connection: record => {
      const { id, role } = decodeConnection(record, processes.get(record.pid))
      if (!found.has(id)) found.set(id, { isServer: role === 'server', calls: [], bytes: 0 })
    },
    close: ignore,
    process: ignore,
    taskBirth: ignore,
    text: ignore,
  }
  for (let batch = source.read(); batch !== undefined; batch = source.read()) reader.read(batch, handler)
  await source.close()
  return [...found.values()].filter(({ isServer, calls }) => isServer && calls.length > 0).map(({ calls }) => calls)
}

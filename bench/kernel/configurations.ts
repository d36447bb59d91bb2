import { createCallSketchReader } from '../../src/capture/call-sketches.js'
import { decodeCounts } from '../../src/capture/carriers/carrier-layout.js'
import { encodePolicy, POLICY, ProcessDecision } from '../../src/capture/control-layout.js'
import type { NativeAddon, NativePaths } from '../../src/capture/native-addon.js'
import { objectPath } from '../../src/capture/open-object.js'
import type { CopyPolicy } from '../../src/protocols/protocol.js'
import type { Calls } from './calls.js'
import { carrierConfigs } from './carrier-configs.js'

/** The capture, loaded and set to do one thing with the measured process' connection. */
export interface KernelConfiguration {
  readonly name: string
  attach(): void
  detach(): void
  /** Empties the ring every few milliseconds until told to stop. */
  drain(): () => void
  events(): number
  /** Records that found the ring full. */
  lost(): number
  /** Look-ups of carriers, and how many of them failed; zeros where none were made. */
  carriers(): { readonly lookups: number; readonly failed: number }
  close(): void
}

const DRAIN_MILLIS = 4
const RING_BYTES = 16 * 1024 * 1024

const head = (bytes: number): CopyPolicy => ({
  clientHead: bytes,
  serverHead: bytes,
  clientTail: 0,
  serverTail: 0,
  countOnly: false,
})

/** On the capture for older kernels: the same work, by its name. */
const ON_SYSTEM_CALLS: Readonly<Record<string, string>> = {
  syscall256: 'captured256',
  syscallCounted: 'counted',
  syscallUntraced: 'untraced',
}

const POLICIES: Readonly<Record<string, CopyPolicy | undefined>> = {
  captured256: head(256),
  greenlet256: head(256),
  asyncio256: head(256),
  captured64: head(64),
  captured0: head(0),
  counted: { ...head(0), countOnly: true },
  sketched: { ...head(0), countOnly: true },
  untraced: undefined,
}

export async function createConfigurations(
  addon: NativeAddon,
  paths: NativePaths,
  calls: Calls,
): Promise<KernelConfiguration[]> {
  const carriers = carrierConfigs(calls.pid, await calls.pretendCarriers())
  return [
    ...Object.entries(POLICIES).map(([name, policy]) =>
      createConfiguration(addon, objectPath(paths, 'socket'), calls, name, policy, carriers[name]),
    ),
    ...Object.entries(ON_SYSTEM_CALLS).map(([name, like]) =>
      createConfiguration(addon, objectPath(paths, 'syscall'), calls, name, POLICIES[like], undefined),
    ),
  ]
}

function createConfiguration(
  addon: NativeAddon,
  path: string,
  calls: Calls,
  name: string,
  policy: CopyPolicy | undefined,
  carriers: Uint8Array | undefined,
): KernelConfiguration {
  const handle = addon.open(path, RING_BYTES, {
    default_decision: ProcessDecision.ignored,
    sketches_on: name === 'sketched' ? 1 : 0,
  })
  createCallSketchReader(addon, handle)
  if (policy !== undefined) {
    const value = new Uint8Array(POLICY.bytes)
    encodePolicy(new DataView(value.buffer), 0, policy, false)
    addon.update(handle, 'policy_by_port', encodeNumber(calls.port), value)
    addon.update(handle, 'process_by_tgid', encodeNumber(calls.pid), encodeNumber(ProcessDecision.traced))
  }
  if (carriers !== undefined) addon.update(handle, 'carrier_configs', encodeNumber(calls.pid), carriers)
  const batch = new Uint8Array(4 * 1024 * 1024)
  const view = new DataView(batch.buffer)
  let events = 0
  const empty = (): void => {
    for (let length: number; (length = addon.read(handle, batch)) > 0; ) {
      for (let at = 0; at < length; at += (view.getUint32(at, true) + 7) & ~7) events++
    }
  }
  return {
    name,
    attach: () => addon.attach(handle),
    detach: () => addon.detach(handle),
    drain() {
      const timer = setInterval(empty, DRAIN_MILLIS)
      return () => {
        clearInterval(timer)
        empty()
      }
    },
    events: () => events,
    lost() {
      const perCpu = addon.lookup(handle, 'lost_by_cause', encodeNumber(0))!
      return perCpu.reduce((sum, byte, at) => sum + byte * 256 ** (at % 8), 0)
    },
    carriers() {
      const config = addon.lookup(handle, 'carrier_configs', encodeNumber(calls.pid))
      if (config === undefined) return { lookups: 0, failed: 0 }
      const { lookups, faults, mismatches } = decodeCounts(config)
      return { lookups, failed: faults + mismatches }
    },
    close: () => addon.close(handle),
  }
}

function encodeNumber(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return bytes
}

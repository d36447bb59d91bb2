import type { CopyPolicy } from '../protocols/protocol.js'
import { encodePolicy, POLICY } from './control-layout.js'
import type { CaptureHandle, NativeAddon } from './native-addon.js'

/** Carries copy policies to the kernel: a port's at once, connections' together, when `flush` is called. */
export interface PolicyWriter {
  setConnection(connection: number, policy: CopyPolicy): void
  setPort(port: number, policy: CopyPolicy, onlyLocalPeers: boolean): void
  flush(): void
}

export function createPolicyWriter(addon: NativeAddon, handle: CaptureHandle): PolicyWriter {
  const waiting = new Map<number, CopyPolicy>()
  return {
    setConnection(connection, policy) {
      waiting.set(connection, policy)
    },
    setPort(port, policy, onlyLocalPeers) {
      const key = new Uint8Array(4)
      const value = new Uint8Array(POLICY.bytes)
      new DataView(key.buffer).setUint32(0, port, true)
      encodePolicy(new DataView(value.buffer), 0, policy, onlyLocalPeers)
      addon.update(handle, 'policy_by_port', key, value)
    },
    flush() {
      if (waiting.size === 0) return
      const keys = new DataView(new ArrayBuffer(waiting.size * 8))
      const values = new DataView(new ArrayBuffer(waiting.size * POLICY.bytes))
      let index = 0
      for (const [connection, policy] of waiting) {
        keys.setBigUint64(index * 8, BigInt(connection), true)
        encodePolicy(values, index * POLICY.bytes, policy, false)
        index++
      }
      waiting.clear()
      addon.update(handle, 'policy_by_conn', new Uint8Array(keys.buffer), new Uint8Array(values.buffer))
      addon.advance(handle, 'policy_epoch')
    },
  }
}

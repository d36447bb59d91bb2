import {
  ASYNCIO_LAYOUT,
  CARRIER_CONFIG,
  CarrierBit,
  GREENLET_LAYOUT,
  PYTHON_LAYOUT,
} from '../../src/capture/carriers/carrier-layout.js'
import { withProcessImage } from '../../src/capture/carriers/process-image.js'
import { findThreadLibrary } from '../../src/capture/carriers/thread-library.js'
import type { PretendedCarriers } from './calls.js'

/** The program itself is the first module with thread-local storage. */
const PROGRAM_MODULE = 1n
/** CPython 3.11, which calls.c is laid out after. */
const THREAD_ID = 0x98
const CONTEXT = 0xe0

/** carrier_config of the measured process by the configuration's name: the kernel reads what it would read in Python. */
export function carrierConfigs(pid: number, told: PretendedCarriers): Record<string, Uint8Array | undefined> {
  const library = withProcessImage({ pid, readThreads: () => [] }, findThreadLibrary)
  if (typeof library === 'string') throw new Error(`the measured process: ${library}`)
  const encode = (bit: number, fill: (layout: DataView) => void): Uint8Array => {
    const config = new Uint8Array(CARRIER_CONFIG.bytes)
    const view = new DataView(config.buffer)
    view.setUint32(CARRIER_CONFIG.kinds, bit, true)
    view.setUint32(CARRIER_CONFIG.generation, 1, true)
    fill(new DataView(config.buffer, CARRIER_CONFIG.layout))
    return config
  }
  return {
    greenlet256: encode(CarrierBit.greenlet, layout => {
      const at = PYTHON_LAYOUT.greenlet
      layout.setBigUint64(at + GREENLET_LAYOUT.type, BigInt(told.greenletType), true)
      layout.setBigUint64(at + GREENLET_LAYOUT.module, PROGRAM_MODULE, true)
      layout.setUint32(at + GREENLET_LAYOUT.stateOffset, 8, true)
      layout.setUint32(at + GREENLET_LAYOUT.vectorOffset, library.vectorOffset, true)
      layout.setUint32(at + GREENLET_LAYOUT.vectorEntry, library.vectorEntry, true)
    }),
    asyncio256: encode(CarrierBit.asyncio, layout => {
      const at = PYTHON_LAYOUT.asyncio
      layout.setBigUint64(at + ASYNCIO_LAYOUT.contextType, BigInt(told.contextType), true)
      layout.setUint32(at + ASYNCIO_LAYOUT.key, told.key, true)
      layout.setUint32(at + ASYNCIO_LAYOUT.specificOffset, library.specificOffset, true)
      layout.setUint32(at + ASYNCIO_LAYOUT.threadId, THREAD_ID, true)
      layout.setUint32(at + ASYNCIO_LAYOUT.context, CONTEXT, true)
    }),
  }
}

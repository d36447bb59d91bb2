import { closeSync, openSync, readSync } from 'node:fs'
import type { Counters } from '../telemetry/counters.js'
import type { EventSource } from './event-source.js'
import { createPcapSource } from './pcap-source.js'
import { createRecordingSource } from './recording-source.js'

/** First four bytes of pcap (either byte order, µs or ns) and pcapng files, big endian. */
const PCAP_MAGICS = new Set([0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1, 0x0a0d0d0a])

/** Opens a recording (plain or gzip) or a packet capture, told apart by their first bytes. */
export async function openCapture(path: string, counters: Counters): Promise<EventSource> {
  const magic = Buffer.alloc(4)
  const file = openSync(path, 'r')
  try {
    readSync(file, magic, 0, 4, 0)
  } finally {
    closeSync(file)
  }
  if (PCAP_MAGICS.has(magic.readUInt32BE(0))) return createPcapSource(path, { counters })
  return createRecordingSource(path, counters)
}

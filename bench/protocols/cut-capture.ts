import { readFileSync, writeFileSync } from 'node:fs'

const FILE_HEADER = 24
const PACKET_HEADER = 16

/** Copies the first packets of a pcap file (little-endian, as dumpcap writes it here), a share of its bytes. */
export function cutCapture(path: string, share: number, to: string): void {
  const bytes = readFileSync(path)
  let at = FILE_HEADER
  while (at < bytes.length * share) at += PACKET_HEADER + bytes.readUInt32LE(at + 8)
  writeFileSync(to, bytes.subarray(0, at))
}

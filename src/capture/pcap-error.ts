/** What is wrong with a packet capture file, and where. */
export class PcapError extends Error {
  readonly code = 'GHOSTSPAN_PCAP'

  constructor(path: string, offset: number, problem: string) {
    super(`${path}: ${problem} (at byte ${offset})`)
    this.name = 'PcapError'
  }
}

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

export interface PacketCapture {
  /** Ends the recording once everything is in the file. @throws if packets were dropped */
  stop(): Promise<void>
}

/** MiB of the kernel's buffer. */
const BUFFER_MIB = 256
/** The file has grown no more for so long: what was sent is in it (dumpcap's buffer is read once a second at least). */
const QUIET_MILLIS = 1_200

/** Records what moves on a port of loopback, whole packets, into a pcap file; needs root. */
export async function recordPackets(port: number, path: string): Promise<PacketCapture> {
  const args = ['-i', 'lo', '-f', `port ${port}`, '-s', '262144', '-B', String(BUFFER_MIB), '-P', '-q', '-w', path]
  const child = spawn('/usr/bin/dumpcap', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = once(child, 'exit')
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  while (!said.includes('File: ')) {
    if (child.exitCode !== null) throw new Error(`dumpcap did not start: ${said.trim()}`)
    await Promise.race([once(child.stderr, 'data'), ended])
  }
  return {
    stop: async () => {
      let size = -1
      while (size !== statSync(path).size) {
        size = statSync(path).size
        await sleep(QUIET_MILLIS)
      }
      child.kill('SIGINT')
      await ended
      const [, dropped] = /received\/dropped on interface '[^']*': \d+\/(\d+)/.exec(said) ?? []
      if (dropped === undefined) throw new Error(`dumpcap did not say what it dropped: ${said.trim()}`)
      if (dropped !== '0') throw new Error(`dumpcap dropped ${dropped} packets: the recording is not whole`)
    },
  }
}

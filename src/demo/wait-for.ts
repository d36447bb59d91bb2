import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const PAUSE_MILLIS = 40

/**
 * Polls until the condition holds.
 * @returns false if it did not within the limit, or the signal said to stop
 */
export async function waitFor(
  condition: () => boolean | Promise<boolean>,
  limitMillis: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const deadline = performance.now() + limitMillis
  while (!(await condition())) {
    if (performance.now() > deadline || signal?.aborted) return false
    await sleep(PAUSE_MILLIS)
  }
  return true
}

/** True if something accepts connections on that port of 127.0.0.1. */
export function accepts(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

import { subscribe, unsubscribe } from 'node:diagnostics_channel'

/** The longest Retry-After header seen since the last look. */
export interface RetryAfter {
  /** In ms; undefined if there was none. Forgets it. */
  take(): number | undefined
  close(): void
}

const channel = 'http.client.response.finish'

/**
 * Watches the answers to our own requests for Retry-After (RFC 9110, 10.2.3). The exporters over HTTP honour it only if
 * it fits into one attempt's timeout, and keep it to themselves; Node.js tells of every answer on this channel.
 *
 * @param agent the agent of our requests, undefined as long as there is none
 * @param wallClock ms since 1970; the header may hold a date
 */
export function watchRetryAfter(agent: () => unknown, wallClock: () => number = Date.now): RetryAfter {
  let longest: number | undefined
  const listen = (message: unknown): void => {
    const { request, response } = message as {
      request: { agent?: unknown }
      response: { headers: Record<string, string | undefined> }
    }
    if (request.agent === undefined || request.agent !== agent()) return
    const millis = parseRetryAfter(response.headers['retry-after'], wallClock())
    if (millis !== undefined) longest = Math.max(longest ?? 0, millis)
  }
  subscribe(channel, listen)
  return {
    take() {
      const result = longest
      longest = undefined
      return result
    },
    close: () => {
      unsubscribe(channel, listen)
    },
  }
}

/** Seconds or a date, as ms from `now`; undefined if it is neither. */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined
  if (/^\d+$/.test(header)) return Number(header) * 1_000
  const at = Date.parse(header)
  return Number.isNaN(at) ? undefined : Math.max(0, at - now)
}

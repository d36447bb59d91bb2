import { setTimeout as sleep } from 'node:timers/promises'

/** Waits until the condition holds; fails after `seconds` with what was waited for. */
export async function waitFor(what: string, condition: () => boolean | Promise<boolean>, seconds = 30): Promise<void> {
  const until = Date.now() + seconds * 1_000
  while (!(await condition())) {
    if (Date.now() > until) throw new Error(`not within ${seconds} s: ${what}`)
    await sleep(5)
  }
}

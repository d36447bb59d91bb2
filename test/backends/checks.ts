import assert from 'node:assert/strict'

/** A row of checks that all run, whatever fails, and are counted at the end. */
export interface Checks {
  equal<T>(name: string, actual: () => T | Promise<T>, expected: T): Promise<void>
  /** A part of the row that cannot go on after something was thrown; that counts as one failure. */
  part(name: string, run: () => Promise<void>): Promise<void>
  /** Named in the summary, never silently left out. */
  notRun(what: string, why: string): void
  /** Prints `N passed, N failed`; returns the exit code. */
  finish(): number
}

export function createChecks(print: (line: string) => void): Checks {
  let passed = 0
  let failed = 0
  return {
    async equal(name, actual, expected) {
      try {
        assert.deepEqual(await actual(), expected)
        passed++
        print(`ok      ${name}`)
      } catch (error) {
        failed++
        print(`FAILED  ${name}\n${error instanceof Error ? error.message : String(error)}`)
      }
    },
    async part(name, run) {
      try {
        await run()
      } catch (error) {
        failed++
        print(`FAILED  ${name}\n${error instanceof Error ? error.message : String(error)}`)
      }
    },
    notRun: (what, why) => print(`not run: ${what}: ${why}`),
    finish() {
      print(`${passed} passed, ${failed} failed`)
      return failed === 0 ? 0 : 1
    },
  }
}

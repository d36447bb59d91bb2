import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Collects all garbage now (some 30 ms). V8 lets its heap grow far before the first full collection of a process'
 * life, and plans the next ones by what that one finds: a daemon that has just started is mostly garbage, and would be
 * some 40 MiB larger in its first minute without this.
 */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
}

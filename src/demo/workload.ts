/** One request of the demo's load. */
export interface LoadRequest {
  /** Its name in the ground truth: 'r0', 'r1', … */
  readonly id: string
  readonly method: 'GET' | 'HEAD' | 'POST' | 'DELETE'
  readonly path: string
  readonly body?: string
}

type Shape = (number: number, pick: (below: number) => number) => Omit<LoadRequest, 'id'>

/** Items that exist are 1 to 40; those divisible by ten are sold out. */
const item = (pick: (below: number) => number) => 1 + pick(40)

const order = (pick: (below: number) => number, of: number, gift: boolean) => ({
  method: 'POST' as const,
  path: '/orders',
  body: JSON.stringify({ item: of, customer: pick(25), quantity: 1 + pick(3), ...(gift && { gift }) }),
})

/** How often, of a hundred, and what. Some of them fail, in the ways that services fail. */
const MIX: readonly (readonly [share: number, shape: Shape])[] = [
  [24, (_, pick) => order(pick, item(pick), false)],
  [5, (_, pick) => order(pick, item(pick), true)],
  [2, (_, pick) => order(pick, 9_000, false)],
  [18, (_, pick) => ({ method: 'GET', path: `/items/${item(pick)}` })],
  [9, () => ({ method: 'GET', path: '/items' })],
  [11, (_, pick) => ({ method: 'GET', path: `/items/${item(pick)}/stock` })],
  [9, (_, pick) => ({ method: 'GET', path: `/orders/${1 + pick(50)}` })],
  [6, (_, pick) => ({ method: 'DELETE', path: `/sessions/${pick(25)}` })],
  [3, (_, pick) => ({ method: 'HEAD', path: `/items/${item(pick)}` })],
  [4, number => ({ method: 'GET', path: `/items/${1_000 + number}` })],
  [3, () => ({ method: 'GET', path: '/reports/daily' })],
  [3, () => ({ method: 'GET', path: '/fail' })],
  [3, () => ({ method: 'GET', path: '/health' })],
]

/** A small generator of numbers (mulberry32), so that the same run is asked for twice. */
function generator(seed: number): (below: number) => number {
  let state = seed >>> 0
  return below => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/** The same requests for the same count and seed; the first is always an order, the way that visits every service. */
export function workload(count: number, seed: number): LoadRequest[] {
  const pick = generator(seed)
  const total = MIX.reduce((sum, [share]) => sum + share, 0)
  return Array.from({ length: count }, (_, number) => {
    let left = number === 0 ? 0 : pick(total)
    const [, shape] = MIX.find(([share]) => (left -= share) < 0)!
    return { id: `r${number}`, ...shape(number, pick) }
  })
}

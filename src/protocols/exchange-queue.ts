/**
 * Exchanges that wait for their answers, oldest first, for protocols that answer in order. A ring: nothing is moved
 * when the oldest leaves.
 */
export class ExchangeQueue<T> {
  #ring: (T | undefined)[] = [undefined, undefined, undefined, undefined]
  #head = 0
  #size = 0
  readonly #limit: number

  /** @param limit most entries; `push` refuses beyond it. */
  constructor(limit: number) {
    this.#limit = limit
  }

  get size(): number {
    return this.#size
  }

  /** False if the queue is full. */
  push(entry: T): boolean {
    if (this.#size === this.#limit) return false
    if (this.#size === this.#ring.length) this.#grow()
    this.#ring[(this.#head + this.#size) & (this.#ring.length - 1)] = entry
    this.#size++
    return true
  }

  /** The oldest. */
  peek(): T | undefined {
    return this.#size === 0 ? undefined : this.#ring[this.#head]
  }

  /** The n-th oldest, from 0. */
  at(index: number): T | undefined {
    return index >= this.#size ? undefined : this.#ring[(this.#head + index) & (this.#ring.length - 1)]
  }

  /** Takes out the oldest. */
  shift(): T | undefined {
    if (this.#size === 0) return undefined
    const entry = this.#ring[this.#head]
    this.#ring[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#ring.length - 1)
    this.#size--
    return entry
  }

  /** Takes out the newest. */
  pop(): T | undefined {
    if (this.#size === 0) return undefined
    const index = (this.#head + --this.#size) & (this.#ring.length - 1)
    const entry = this.#ring[index]
    this.#ring[index] = undefined
    return entry
  }

  #grow(): void {
    const ring: (T | undefined)[] = new Array(this.#ring.length * 2).fill(undefined)
    for (let i = 0; i < this.#size; i++) ring[i] = this.#ring[(this.#head + i) & (this.#ring.length - 1)]
    this.#ring = ring
    this.#head = 0
  }
}

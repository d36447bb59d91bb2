import type { ContentKey } from './protocol.js'

/** Most identifiers of one message that are collected at once. */
const MOST = 64

/**
 * Collects the keys of one message after another. A list that grows entry by entry has room for sixteen more than it
 * holds, for as long as the message is kept; `take` gives one of the right length.
 */
export class KeyList {
  readonly #keys: ContentKey[] = []
  #count = 0

  add(key: ContentKey): void {
    if (this.#count < MOST) this.#keys[this.#count++] = key
  }

  /** What was added since the last time. */
  take(): ContentKey[] {
    const keys = this.#keys.slice(0, this.#count)
    this.#count = 0
    return keys
  }
}

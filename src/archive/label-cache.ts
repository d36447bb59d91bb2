/**
 * Texts that come back again and again, kept in the bytes that they become. Bounded: a full cache is emptied, which
 * costs no more than filling it again.
 */
export function createLabelCache<T>(encode: (text: string) => T, limit = 20_000): (text: string) => T {
  let known = new Map<string, T>()
  return text => {
    const found = known.get(text)
    if (found !== undefined) return found
    if (known.size >= limit) known = new Map()
    const made = encode(text)
    known.set(text, made)
    return made
  }
}

import { latin1 } from './latin1.js'

/** Reads bytes as Latin-1 text; where they are the same as before, it is the same text, not a new one. */
export interface RepeatedText {
  read(bytes: Uint8Array, start: number, end: number): string
}

/**
 * For what messages repeat: hosts, names of programs, paths. @param longest that is remembered @param slots texts that are
 * remembered at once, each in the place that its bytes give it @param told what is made of a text
 */
export function createRepeatedText(longest: number, slots = 1, told = (text: string): string => text): RepeatedText {
  const known = new Uint8Array(longest * slots)
  const lengths = new Int32Array(slots)
  const texts: string[] = new Array(slots).fill('')
  return {
    read: (bytes, start, end) => {
      const length = end - start
      if (length <= 0 || length > longest) return told(latin1(bytes, start, end))
      const slot = slots === 1 ? 0 : slotOf(bytes, start, end) % slots
      const at = slot * longest
      if (length === lengths[slot]) {
        let i = 0
        while (i < length && known[at + i] === bytes[start + i]) i++
        if (i === length) return texts[slot]!
      }
      for (let i = 0; i < length; i++) known[at + i] = bytes[start + i]!
      const text = told(latin1(bytes, start, end))
      lengths[slot] = length
      texts[slot] = text
      return text
    },
  }
}

/** FNV-1a. */
function slotOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
  return (hash ^ (hash >>> 15)) >>> 0
}

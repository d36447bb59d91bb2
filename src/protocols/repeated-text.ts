import { latin1 } from './latin1.js'

/** Reads bytes as Latin-1 text; where they are the same as the last time, it is the same text, not a new one. */
export interface RepeatedText {
  read(bytes: Uint8Array, start: number, end: number): string
}

/** For what nearly every message of a connection repeats: hosts, names of programs. @param longest that is remembered */
export function createRepeatedText(longest: number): RepeatedText {
  const known = new Uint8Array(longest)
  let text = ''
  return {
    read: (bytes, start, end) => {
      const length = end - start
      if (length > longest) return latin1(bytes, start, end)
      if (length === text.length) {
        let i = 0
        while (i < length && known[i] === bytes[start + i]) i++
        if (i === length) return text
      }
      for (let i = 0; i < length; i++) known[i] = bytes[start + i]!
      text = latin1(bytes, start, end)
      return text
    },
  }
}

/**
 * Text for a terminal: what came over the wire must neither move the cursor nor change colours or direction, and
 * columns must stay aligned.
 */

// C0, DEL, C1, soft hyphen, zero-width and direction marks, line and paragraph separators, byte order mark.
const unsafe = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g
const plain = /^[\u0020-\u007e]*$/

/** Control and invisible characters become visible ones. */
export function printable(text: string): string {
  return plain.test(text) ? text : text.replace(unsafe, '\u00b7')
}

/** Columns that printable text takes on a terminal: East Asian wide characters and emoji take two, combining none. */
export function displayWidth(text: string): number {
  if (plain.test(text)) return text.length
  let width = 0
  for (const character of text) width += characterWidth(character)
  return width
}

/** At most `width` columns; what is longer ends in '…'. */
export function cut(text: string, width: number): string {
  if (displayWidth(text) <= width) return text
  if (width <= 0) return ''
  let kept = ''
  let used = 0
  for (const character of text) {
    used += characterWidth(character)
    if (used > width - 1) break
    kept += character
  }
  return `${kept}…`
}

export const padEnd = (text: string, width: number): string =>
  text + ' '.repeat(Math.max(0, width - displayWidth(text)))
export const padStart = (text: string, width: number): string =>
  ' '.repeat(Math.max(0, width - displayWidth(text))) + text

function characterWidth(character: string): number {
  const code = character.codePointAt(0)!
  if (code < 0x300) return 1
  if (/\p{Mark}/u.test(character)) return 0
  return isWide(code) ? 2 : 1
}

/** Unicode East_Asian_Width W and F, in the coarse ranges that terminals use. */
function isWide(code: number): boolean {
  return (
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf && code !== 0x303f) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd)
  )
}

/** An id as people type or paste it: blanks around it, capitals, and the dots of a shortened one are of no account. */
export function typedId(text: string): string {
  return text
    .trim()
    .toLowerCase()
    .replace(/[….]+$/, '')
}

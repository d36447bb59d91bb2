/** Messages of RFC 1035 put together by hand, for tests. */
export interface Question {
  readonly id?: number
  readonly name: string
  readonly type?: number
  readonly class?: number
  /** Bits of the second 16 of the header; default: recursion desired. */
  readonly flags?: number
  /** Records behind the question, as they are, and how many are answers, authorities, additionals. */
  readonly records?: Uint8Array
  readonly counts?: readonly [number, number, number]
}

export const FLAG_ANSWER = 0x8000
export const FLAG_CUT = 0x0200
export const FLAG_RECURSE = 0x0100

const u16 = (value: number): number[] => [value >> 8, value & 0xff]

export function nameBytes(name: string): number[] {
  const labels = name === '' ? [] : name.split('.')
  return [...labels.flatMap(label => [label.length, ...Buffer.from(label, 'latin1')]), 0]
}

export function message(question: Question): Uint8Array {
  const { id = 0x1a2b, name, type = 1, class: klass = 1, flags = FLAG_RECURSE } = question
  const { records = new Uint8Array(0), counts = [0, 0, 0] } = question
  return Uint8Array.from([
    ...[id, flags, 1, ...counts].flatMap(u16),
    ...nameBytes(name),
    ...u16(type),
    ...u16(klass),
    ...records,
  ])
}

/** An A record of the question's name. */
export const ADDRESS = Uint8Array.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1])
/** EDNS (RFC 6891), which every client of today sends along. */
export const OPTIONS = Uint8Array.from([0, 0, 41, 0x10, 0, 0, 0, 0, 0, 0, 0])

export const answer = (question: Question, code = 0, cut = false): Uint8Array =>
  message({
    ...question,
    flags: FLAG_ANSWER | FLAG_RECURSE | (cut ? FLAG_CUT : 0) | code,
    records: code === 0 ? ADDRESS : new Uint8Array(0),
    counts: [code === 0 ? 1 : 0, 0, 0],
  })

/** With its length in front, as over TCP. */
export const framed = (...messages: readonly Uint8Array[]): Uint8Array =>
  Uint8Array.from(messages.flatMap(each => [...u16(each.length), ...each]))

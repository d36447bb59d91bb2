const UNIT_BYTES: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
}

/** A number and one unit: `512KiB`, `16MiB`, `10GB`. KB, MB, GB, TB count in thousands, KiB, MiB, GiB, TiB in 1,024s. */
export const SIZE_PATTERN = /^(\d+(?:\.\d+)?)(B|kB|KB|MB|GB|TB|KiB|MiB|GiB|TiB)$/

/** What a message says about sizes. */
export const SIZE_FORM = 'a size: a number with B, KB, MB, GB, TB, KiB, MiB, GiB or TiB, such as 16MiB or 10GB'

/** Bytes, or undefined when the text is not a size. */
export function parseSize(text: string): number | undefined {
  const match = SIZE_PATTERN.exec(text)
  return match === null ? undefined : Math.round(Number(match[1]) * UNIT_BYTES[match[2]!]!)
}

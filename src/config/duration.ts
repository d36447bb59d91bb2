const UNIT_MILLIS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** A number and one unit: `500ms`, `2s`, `1.5h`, `7d`. */
export const DURATION_PATTERN = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/

/** What a message says about durations. */
export const DURATION_FORM = 'a duration: a number with ms, s, m, h or d, such as 500ms, 2s or 7d'

/** Milliseconds, or undefined when the text is not a duration. */
export function parseDuration(text: string): number | undefined {
  const match = DURATION_PATTERN.exec(text)
  return match === null ? undefined : Math.round(Number(match[1]) * UNIT_MILLIS[match[2]!]!)
}

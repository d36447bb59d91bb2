/** What became of one case. */
export type Verdict = 'passed' | 'failed' | 'excluded' | 'crashed'

export interface ScoredCase {
  /** Stable name inside its suite: 'mysql-error.pcap', 'story_03 #12', 'request/invalid: Invalid method'. */
  readonly name: string
  readonly verdict: Verdict
  /** Always there unless the case passed; with one that passed, a difference that is explained. */
  readonly why?: string
}

/** Cases of one kind by one author, in a folder of their own. */
export interface Suite {
  /** Name for `--suite`: 'deepflow-mysql'. */
  readonly name: string
  readonly protocol: string
  /** Below the folder of all cases. */
  readonly folder: string
  /** What a case is, and what is compared. */
  readonly rule: string
  /** Programs that are needed beside Node.js. */
  readonly needs?: readonly string[]
  score(folder: string): Promise<readonly ScoredCase[]>
}

/** Runs one case: returns what is wrong, or undefined. What it throws is a crash. */
export async function scoreCase(
  name: string,
  exclusions: Readonly<Record<string, string>>,
  run: () => string | undefined | Promise<string | undefined>,
): Promise<ScoredCase> {
  const why = exclusions[name]
  try {
    const wrong = await run()
    if (wrong === undefined) return { name, verdict: 'passed' }
    // An excluded case is run all the same: it may not crash.
    return why === undefined ? { name, verdict: 'failed', why: wrong } : { name, verdict: 'excluded', why }
  } catch (error) {
    return { name, verdict: 'crashed', why: error instanceof Error ? error.message : String(error) }
  }
}

/** The first difference of two lists, as text; undefined if there is none. */
export function firstDifference(theirs: readonly string[], ours: readonly string[]): string | undefined {
  const length = Math.max(theirs.length, ours.length)
  for (let i = 0; i < length; i++) {
    if (theirs[i] === ours[i]) continue
    return `${i + 1} of ${theirs.length}: theirs ${theirs[i] ?? 'has ended'}; ours ${ours[i] ?? 'has ended'}`
  }
  return undefined
}

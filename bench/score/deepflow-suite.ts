import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ReadExchange, readCapture } from './capture-exchanges.js'
import { firstDifference, type ScoredCase, type Suite, scoreCase } from './verdict.js'

/** One line of a result, or one exchange of ours: what is compared of a request and its answer. */
export interface Told {
  readonly request: string
  /** undefined: no answer was seen, or nothing is said of it. */
  readonly answer: string | undefined
}

export interface DeepflowAdapter {
  readonly protocol: string
  readonly rule: string
  /** Answers are listed right behind their requests, which tells whose they are only on a single connection. */
  readonly answersFollow?: boolean
  theirs(lines: readonly string[]): Told[]
  ours(read: readonly ReadExchange[]): Told[]
}

/** Captures of deepflowio/deepflow with the results that its agent's own tests expect. */
export function deepflowSuite(adapter: DeepflowAdapter, exclusions: Readonly<Record<string, string>>): Suite {
  const { protocol } = adapter
  return {
    name: `deepflow-${protocol}`,
    protocol,
    folder: join('deepflow', protocol),
    rule: adapter.rule,
    score: async folder => {
      const scored: ScoredCase[] = []
      for (const file of readdirSync(folder)
        .filter(each => each.endsWith('.result'))
        .sort()) {
        const name = file.replace('.result', '')
        scored.push(await scoreCase(name, exclusions, () => compare(adapter, folder, name)))
      }
      return scored
    },
  }
}

/** A capture may have several results, for settings of the agent's: `name-as-unary.result` belongs to `name.pcap`. */
function captureOf(folder: string, name: string): string | undefined {
  for (let stem = name; stem !== ''; stem = stem.slice(0, Math.max(0, stem.lastIndexOf('-')))) {
    const path = join(folder, `${stem}.pcap`)
    if (existsSync(path)) return path
  }
  return undefined
}

function compare(adapter: DeepflowAdapter, folder: string, name: string): string | undefined {
  const path = captureOf(folder, name)
  if (path === undefined) return 'its capture is not there'
  const lines = readFileSync(join(folder, `${name}.result`), 'utf8')
    .split('\n')
    .filter(line => line.trim() !== '')
  const theirs = adapter.theirs(lines)
  const read = readCapture(path)
  const ours = adapter.ours(read)
  const answersKnown = adapter.answersFollow !== true || new Set(read.map(each => each.connection)).size === 1
  return firstDifference(
    theirs.map(each => `${each.request} -> ${(answersKnown && each.answer) || 'not told'}`),
    ours.map((each, i) => {
      const theirAnswer = answersKnown ? theirs[i]?.answer : undefined
      if (theirAnswer === undefined) return `${each.request} -> not told`
      const same = theirAnswer === 'answered' && each.answer !== undefined
      return `${each.request} -> ${same ? theirAnswer : (each.answer ?? 'none')}`
    }),
  )
}

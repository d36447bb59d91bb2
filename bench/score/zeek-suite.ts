import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readCapture } from './capture-exchanges.js'
import { listeningPorts } from './tshark.js'
import { type TsharkView, toldByTshark } from './tshark-views.js'
import { type ScoredCase, type Suite, scoreCase } from './verdict.js'

/** Captures by one author of one protocol. */
export interface ZeekAdapter {
  readonly protocol: string
  /** Who made the captures: the first part of the suite's name and of its folder. Default zeek. */
  readonly author?: string
  readonly folder: string
  readonly view: TsharkView
}

/**
 * Captures of others' tests that have no answers beside them: compared with what tshark finds when it is told the
 * protocol. `explained`: the exact differences that are known, and why tshark or we are right.
 */
export function zeekSuite(adapter: ZeekAdapter, explained: Readonly<Record<string, ExplainedDifference>>): Suite {
  return {
    name: `${adapter.author ?? 'zeek'}-${adapter.folder}`,
    protocol: adapter.protocol,
    folder: join(adapter.author ?? 'zeek', adapter.folder),
    rule:
      'A case is one capture. Requests and answers are compared with those that tshark finds when it is told the ' +
      'protocol; a difference counts as passed if it is exactly one that is explained.',
    needs: ['tshark'],
    score: async folder => {
      const scored: ScoredCase[] = []
      for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
        if (!/\.pcap(ng)?$/.test(file)) continue
        const path = join(folder, file)
        const name = file.replace(/\.pcap(ng)?$/, '')
        const each = await scoreCase(name, {}, () => compare(adapter, path, explained[name]))
        const why = explained[name]?.why
        scored.push(each.verdict === 'passed' && why !== undefined ? { ...each, why } : each)
      }
      return scored
    },
  }
}

export interface ExplainedDifference {
  /** Numbers of requests and answers that only tshark finds, and only we. */
  readonly onlyTheirs: number
  readonly onlyOurs: number
  readonly why: string
}

async function compare(
  adapter: ZeekAdapter,
  path: string,
  explained: ExplainedDifference | undefined,
): Promise<string | undefined> {
  const { view } = adapter
  const ours = view.ours(readCapture(path))
  const theirs = await toldByTshark(path, view, await listeningPorts(path, view.usualPort))
  const onlyTheirs = without(theirs, ours)
  const onlyOurs = without(ours, theirs)
  if (onlyTheirs.length === (explained?.onlyTheirs ?? 0) && onlyOurs.length === (explained?.onlyOurs ?? 0)) return
  const some = (list: readonly string[]): string => (list.length === 0 ? 'nothing' : list.slice(0, 3).join('; '))
  return `only tshark (${onlyTheirs.length}): ${some(onlyTheirs)}. Only ours (${onlyOurs.length}): ${some(onlyOurs)}`
}

/** What is in `list` more often than in `other`. */
export function without(list: readonly string[], other: readonly string[]): string[] {
  const left = new Map<string, number>()
  for (const each of other) left.set(each, (left.get(each) ?? 0) + 1)
  return list.filter(each => {
    const count = left.get(each) ?? 0
    left.set(each, count - 1)
    return count <= 0
  })
}

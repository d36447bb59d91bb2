import { readFileSync, writeFileSync } from 'node:fs'
import { type Calibration, mergeCalibrations } from './calibration.js'
import { missedGoals } from './goals.js'
import type { Measured } from './measure.js'
import type { Workload } from './workload.js'

export interface Skipped {
  readonly what: string
  readonly why: string
}

/** One line for people. */
export function lineOf(m: Measured): string {
  const { expected, right, wrong, unlinked } = m.links
  return (
    `${m.name} ×${m.concurrency} [${m.evidence.join('+')}]: ${expected} calls, ${right} right, ${wrong} wrong, ` +
    `${unlinked} unlinked; precision ${percent(m.precision)}, recall ${percent(m.recall)}; background ` +
    `${m.background.calls}, of them linked ${m.background.linked}; unseen ${m.unseen}; lost ${m.lostEvents}; ` +
    `${m.cpuMsPer1000 ?? '–'} ms/1000; ${m.seconds} s`
  )
}

function percent(share: number | null): string {
  return share === null ? '–' : `${(share * 100).toFixed(2).replace(/\.?0+$/, '')} %`
}

/** The table of all measurements, as Markdown. */
export function tableOf(all: readonly Measured[], workloads: ReadonlyMap<string, Workload>): string {
  const lines = [
    '| workload | carrier | at a time | calls | precision | recall | unlinked | sure: precision / recall | off by | CPU ms | goal |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
  ]
  for (const m of all) {
    const { goal } = workloads.get(m.name)!
    const sure = goal.sure === 0 ? '' : `${percent(m.sure.precision)} / ${percent(m.sure.recall)}`
    const missed = missedGoals(m, goal)
    const background = m.background.calls > 0 ? ` + ${m.background.calls}` : ''
    lines.push(
      `| ${m.name} | ${m.carrier} | ${m.concurrency} | ${m.links.expected}${background} | ${percent(m.precision)} | ` +
        `${percent(m.recall)} | ${percent(m.unlinked)} | ${sure} | ${(m.calibration.maxError * 100).toFixed(1)} | ` +
        `${m.cpuMsPer1000 ?? '–'} | ${missed.length === 0 ? 'reached' : missed.join('; ')} |`,
    )
  }
  return lines.join('\n')
}

/** Of the links that say so sure, how many are right: over all measurements. */
export function reliabilityOf(calibrations: readonly Calibration[]): string {
  const lines = ['| said | mean | was right | links |', '| --- | --- | --- | --- |']
  for (const { from, to, said, was, n } of mergeCalibrations(calibrations).bins) {
    lines.push(`| ${from} to ${to} | ${said.toFixed(3)} | ${was.toFixed(3)} | ${n} |`)
  }
  return lines.join('\n')
}

/** Replaces what lies between the page's marks `<!-- name -->` and `<!-- /name -->`. */
export function writeIntoPage(path: string, name: string, text: string): void {
  const page = readFileSync(path, 'utf8')
  const begin = `<!-- ${name} -->`
  const end = `<!-- /${name} -->`
  const from = page.indexOf(begin)
  const to = page.indexOf(end)
  if (from < 0 || to < from) throw new Error(`${path} has no marks ${begin} … ${end}`)
  writeFileSync(path, `${page.slice(0, from + begin.length)}\n\n${text}\n\n${page.slice(to)}`)
}

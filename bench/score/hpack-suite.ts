import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { HeaderDecoder } from '../../src/protocols/http2/header-decoder.js'
import { firstDifference, type ScoredCase, type Suite, scoreCase } from './verdict.js'

interface Story {
  readonly cases: readonly { readonly wire: string; readonly headers: readonly Record<string, string>[] }[]
}

/** Stories of http2jp/hpack-test-case: header blocks of one connection, in order. */
export function hpackSuite(encoder: string): Suite {
  return {
    name: `hpack-${encoder}`,
    protocol: 'hpack',
    folder: join('hpack', encoder),
    rule: 'A case is one header block; its fields are compared by name and value, in order.',
    score: async folder => {
      const scored: ScoredCase[] = []
      for (const file of readdirSync(folder)
        .filter(each => each.endsWith('.json'))
        .sort()) {
        const story = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Story
        const decoder = new HeaderDecoder({ fresh: true })
        for (const [index, { wire, headers }] of story.cases.entries()) {
          const name = `${file.replace('.json', '')} #${index}`
          scored.push(await scoreCase(name, {}, () => compareBlock(decoder, wire, headers)))
        }
      }
      return scored
    },
  }
}

function compareBlock(
  decoder: HeaderDecoder,
  wire: string,
  headers: readonly Record<string, string>[],
): string | undefined {
  const block = new Uint8Array(Buffer.from(wire, 'hex'))
  const ours: string[] = []
  const state = decoder.decode(block, 0, block.length, {
    header: (name, value) => void ours.push(`${name}: ${value}`),
    unknown: () => void ours.push('unknown'),
  })
  const theirs = headers.flatMap(header => Object.entries(header).map(([name, value]) => `${name}: ${value}`))
  return state === 'complete' ? firstDifference(theirs, ours) : `the block is ${state}`
}

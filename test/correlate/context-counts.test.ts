import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createProcesses } from '../../src/capture/processes.js'
import { contextLines } from '../../src/cli/context-lines.js'
import { createContextCounts } from '../../src/correlate/context-counts.js'
import type { Sample } from '../../src/samples/sample.js'

const processes = createProcesses()
const node = processes.get(7)
node.info = { comm: 'node', carriers: { kinds: ['node'], state: 'resolved', reason: '' } } as never
const call = (unknown?: string): Sample => ({ process: node, activity: { unknown } }) as unknown as Sample

test('calls of a process are counted by what context said of them, with the reason where it said nothing', () => {
  const counts = createContextCounts()
  counts.count(call(), 1)
  counts.count(call(), 0.3)
  counts.count(call(), 0)
  counts.count(call('detached'), 0)
  counts.count(call('detached'), 1)
  const list = counts.list()
  assert.deepEqual(list, [
    {
      ...{ pid: 7, program: 'node', runTimes: ['node'], calls: 5, trusted: 2, inferred: 1, nobodys: 1 },
      refused: { detached: 1 },
    },
  ])
  assert.deepEqual(contextLines(list), [
    'pid 7 (node, node): 5 calls, 2 with an owner, 1 inferred by habit, 1 of nobody, refused: 1 after a timer or the like',
  ])
})

test('a process that has ended is not listed', () => {
  const counts = createContextCounts()
  const gone = processes.get(8)
  counts.count({ process: gone, activity: undefined } as unknown as Sample, 1)
  assert.equal(counts.list().length, 1)
  gone.endedNs = 1
  assert.deepEqual(counts.list(), [])
})

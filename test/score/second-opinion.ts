import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Conversation } from '../../bench/protocols/conversation.js'
import { conversations } from '../../bench/protocols/conversations/index.js'
import { recordConversation } from '../../bench/protocols/record-conversation.js'
import { readCapture } from '../../bench/score/capture-exchanges.js'
import { toldByTshark } from '../../bench/score/tshark-views.js'
import { without } from '../../bench/score/zeek-suite.js'
import { requiresKafka } from '../support/kafka-broker.js'
import { program, requires, root } from '../support/requirements.js'

const REQUESTS = 500
const SAME = 0.999
/** Differences that a failure shows of each side. */
const SHOWN = 5

/** What only one side has, as far as nobody has explained it, and the share of what both have. */
function compare(theirs: readonly string[], ours: readonly string[], { explained = [] }: Partial<Conversation> = {}) {
  const isExplained = (each: string, by: 'tshark' | 'us'): boolean =>
    explained.some(({ foundBy, what }) => foundBy === by && what.test(each))
  const onlyTheirs = without(theirs, ours)
  const onlyOurs = without(ours, theirs)
  return {
    same: (theirs.length - onlyTheirs.length) / Math.max(theirs.length, ours.length - onlyOurs.length),
    onlyTheirs: onlyTheirs.filter(each => !isExplained(each, 'tshark')),
    onlyOurs: onlyOurs.filter(each => !isExplained(each, 'us')),
  }
}

async function secondOpinion(t: TestContext, conversation: Conversation): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'ghostspan-opinion-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'talk.pcap')
  const { port, seen } = await recordConversation(conversation, REQUESTS, file)
  const read = readCapture(file)
  assert.ok(seen.length >= REQUESTS / 2, `the client saw ${seen.length}`)
  const opinions = [{ who: 'the client', ...compare(seen, conversation.seen(read)) }]
  if (conversation.tshark !== undefined) {
    const theirs = await toldByTshark(file, conversation.tshark, [String(port)])
    assert.ok(theirs.length > 0, 'tshark finds nothing')
    opinions.push({ who: 'tshark', ...compare(theirs, conversation.tshark.ours(read), conversation) })
    t.diagnostic(`${seen.length} lines of the client's, ${theirs.length} of tshark's`)
  } else t.diagnostic(`${seen.length} lines of the client's; tshark does not know the protocol`)
  for (const { who, same, onlyTheirs, onlyOurs } of opinions) {
    const unexplained = { onlyTheirs: onlyTheirs.slice(0, SHOWN), onlyOurs: onlyOurs.slice(0, SHOWN) }
    assert.deepEqual(unexplained, { onlyTheirs: [], onlyOurs: [] }, who)
    assert.ok(same >= SAME, `${who}: ${same}`)
  }
}

/** A test for each of these conversations. */
export function testConversations(names: readonly string[]): void {
  for (const name of names) {
    const conversation = conversations.find(each => each.name === name)!
    test(`${name}: what is read of a real server's packets is what its client saw, and what tshark reads`, async t => {
      if (name === 'kafka' && !requiresKafka(t)) return
      if (!requires(t, root, program('tshark'), program('dumpcap'), ...conversation.needs)) return
      await secondOpinion(t, conversation)
    })
  }
}

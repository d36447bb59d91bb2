import type { Counters } from '../../telemetry/counters.js'

/** Topics of which both id and name are remembered. */
const MOST = 65_536

/** Topic id → name, as answers to Metadata and CreateTopics tell. */
export interface TopicNames {
  find(id: string): string | undefined
  learn(id: string, name: string): void
}

const byCounters = new WeakMap<Counters, TopicNames>()

/**
 * What is known of topics belongs to clusters, not to connections: one table serves all connections of one pipeline,
 * which has counters of its own. Ids are random, so that those of several clusters do not meet.
 */
export function topicNamesOf(counters: Counters): TopicNames {
  let names = byCounters.get(counters)
  if (names === undefined) {
    names = createTopicNames()
    byCounters.set(counters, names)
  }
  return names
}

function createTopicNames(): TopicNames {
  const byId = new Map<string, string>()
  return {
    find: id => byId.get(id),
    learn: (id, name) => {
      if (!byId.has(id) && byId.size >= MOST) byId.delete(byId.keys().next().value!)
      byId.set(id, name)
    },
  }
}

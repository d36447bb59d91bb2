import { startMemcached, startRedis } from '../../../test/support/cache-servers.js'
import { program, pythonModule } from '../../../test/support/requirements.js'
import type { ReadExchange } from '../../score/capture-exchanges.js'
import { redisView } from '../../score/tshark-views.js'
import type { Conversation } from '../conversation.js'
import { outcomeOf, readOf } from './exchange-text.js'
import { runPythonClient } from './python-client.js'

/** Redis and redis-py. */
export const redis: Conversation = {
  name: 'redis',
  goal: 5,
  needs: [program('redis-server'), pythonModule('redis')],
  start: async folder => {
    const { port, stop } = await startRedis()
    return { port, talk: requests => runPythonClient('redis', port, requests, folder), stop }
  },
  tshark: redisView,
  seen: read => readOf(read, 'redis').map(each => `${each.exchange.name} ${outcomeOf(each)}`),
}

/** memcached and pymemcache. */
export const memcached: Conversation = {
  name: 'memcached',
  goal: 5,
  needs: [program('memcached'), pythonModule('pymemcache')],
  start: async folder => {
    const { port, stop } = await startMemcached()
    return { port, talk: requests => runPythonClient('memcached', port, requests, folder), stop }
  },
  tshark: {
    usualPort: 11_211,
    decodeAs: ports => ports.map(port => `tcp.port==${port},memcache`),
    filter: () => 'memcache.command or memcache.subcommand or memcache.response',
    fields: ['memcache.command', 'memcache.response'],
    theirs: rows => rows.flatMap(([commands = []]) => commands),
    ours: read => readOf(read, 'memcached').map(({ exchange }) => exchange.name.split(' ')[0]!),
  },
  explained: [{ foundBy: 'us', what: /^touch$/, why: 'a command that this tshark does not know' }],
  seen: read => readOf(read, 'memcached').map(seenOf),
}

/** The client's words for an answer: hit, miss, ok, no, quiet. */
function seenOf({ exchange, answered }: ReadExchange): string {
  const { name, attributes, clientError } = exchange
  const isHit = attributes['ghostspan.cache.hit']
  if (isHit !== undefined) return `${name} ${isHit ? 'hit' : 'miss'}`
  if (!answered) return `${name} quiet`
  return `${name} ${attributes['db.response.status_code'] === undefined && clientError === undefined ? 'ok' : 'no'}`
}

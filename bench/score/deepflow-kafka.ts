import type { KafkaCall } from '../../src/protocols/kafka/call.js'
import type { DeepflowAdapter, Told } from './deepflow-suite.js'

/** `client_id: "a"`, `api_version: 7`, `api_key: Fetch`, `correlation_id: Some(20)`. */
function field(line: string, name: string): string {
  const match = new RegExp(`\\b${name}: (?:Some\\()?"?([^",)]*)`).exec(line)
  return match?.[1] ?? ''
}

export const deepflowKafka: DeepflowAdapter = {
  protocol: 'kafka',
  rule:
    'A case is one capture. Requests are compared by api, version, correlation id, client and group, and by whether ' +
    'an answer came. DeepFlow reads the error of an answer at one place for all versions of an api, where many have ' +
    'something else (it tells 5120, or -1 for an answer without an error): errors are not compared.',
  theirs: lines => {
    const told: (Told & { readonly id: string })[] = []
    for (const line of lines) {
      const id = field(line, 'correlation_id')
      if (line.includes('msg_type: Request')) {
        const words = ['api_key', 'api_version', 'correlation_id', 'client_id', 'group_id']
        told.push({ request: words.map(name => field(line, name)).join(' '), answer: undefined, id })
        continue
      }
      const at = told.findIndex(each => each.id === id && each.answer === undefined)
      if (at >= 0) told[at] = { ...told[at]!, answer: 'answered' }
    }
    return told
  },
  ours: read =>
    read
      .filter(({ exchange }) => exchange.protocol === 'kafka' && exchange.shape === 'call')
      .map(({ exchange, answered }) => {
        const { api, version, correlationId, clientId = '', group = '' } = exchange as KafkaCall
        return {
          request: `${api.name} ${version} ${correlationId} ${clientId} ${group}`,
          answer: answered ? 'answered' : undefined,
        }
      }),
}

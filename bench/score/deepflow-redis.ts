import type { DeepflowAdapter, Told } from './deepflow-suite.js'

export const deepflowRedis: DeepflowAdapter = {
  protocol: 'redis',
  rule: 'A case is one capture. Commands are compared by name, answers by success or error.',
  answersFollow: true,
  theirs: lines => {
    const told: Told[] = []
    for (const line of lines) {
      const request = /request_type: "(\w*)"/.exec(line)?.[1] ?? ''
      const failed = !/\berror: ""/.test(line)
      if (request !== '') told.push({ request: request.toUpperCase(), answer: undefined })
      else if (told.length > 0) told.push({ ...told.pop()!, answer: failed ? 'error' : 'ok' })
    }
    return told
  },
  ours: read =>
    read.map(({ exchange, answered }) => ({
      request: exchange.name.split(' ')[0]!,
      answer: answered ? (exchange.clientError === undefined ? 'ok' : 'error') : undefined,
    })),
}

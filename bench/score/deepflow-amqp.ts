import type { DeepflowAdapter, Told } from './deepflow-suite.js'

/** `class_id: Connection, method_id: TuneOk` → `connection.tune-ok`. */
function methodOf(line: string): string | undefined {
  const match = /class_id: (\w+), method_id: (\w+)/.exec(line)
  if (match === null) return undefined
  const method = match[2]!.replace(/(?<=[a-z])[A-Z]/g, letter => `-${letter}`).toLowerCase()
  return `${match[1]!.toLowerCase()}.${method}`
}

export const deepflowAmqp: DeepflowAdapter = {
  protocol: 'amqp',
  rule:
    'A case is one capture. Methods that ask are compared by name, and by whether their answer came; a publish and a ' +
    'delivery are messages, and so is what is returned. The protocol header and content frames, which are part of others, are ' +
    'left out.',
  theirs: lines => {
    const told: Told[] = []
    let failed: string | undefined
    for (const line of lines) {
      const method = methodOf(line)
      if (method === undefined) continue
      // A close that tells of a failure is listed as the answer to what failed, and again as itself.
      const again = failed === method
      failed = line.includes('msg_type: Response') && !method.endsWith('-ok') ? method : undefined
      if (again) continue
      if (!method.endsWith('-ok')) {
        told.push({ request: method, answer: undefined })
        continue
      }
      const at = told.findLastIndex(({ request }) => request === method.slice(0, -3))
      if (at >= 0) told[at] = { ...told[at]!, answer: 'ok' }
    }
    return told
  },
  ours: read =>
    read.map(({ exchange, answered }) => {
      const operation = exchange.attributes['messaging.operation.name']
      const names: Readonly<Record<string, string>> = {
        send: 'basic.publish',
        process: 'basic.deliver',
        return: 'basic.return',
      }
      const request = names[exchange.name.split(' ')[0]!] ?? exchange.name
      return { request: operation === undefined ? exchange.name : request, answer: answered ? 'ok' : undefined }
    }),
}

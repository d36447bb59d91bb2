import type { DeepflowAdapter, Told } from './deepflow-suite.js'

interface DnsLine {
  readonly request_id: number
  readonly request_type: string
  readonly request_resource: string
  readonly msg_type: string
  readonly response_code?: number
}

const CODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED']

export const deepflowDns: DeepflowAdapter = {
  protocol: 'dns',
  rule: 'A case is one capture. Questions are compared by type and name, answers, told by their id, by code.',
  theirs: lines => {
    const told: (Told & { readonly id: number })[] = []
    for (const line of lines) {
      const each = JSON.parse(line.slice(0, line.lastIndexOf('}') + 1)) as DnsLine
      if (each.msg_type === 'Request') {
        const request = `${each.request_type} ${each.request_resource.toLowerCase()}`
        told.push({ request, answer: undefined, id: each.request_id })
        continue
      }
      const at = told.findIndex(({ id, answer }) => id === each.request_id && answer === undefined)
      if (at >= 0) told[at] = { ...told[at]!, answer: CODES[each.response_code ?? 0] ?? String(each.response_code) }
    }
    return told
  },
  ours: read =>
    read.map(({ exchange: { attributes } }) => ({
      request: `${attributes['ghostspan.dns.question_type']} ${attributes['dns.question.name']}`,
      answer: attributes['ghostspan.dns.response_code'] as string | undefined,
    })),
}

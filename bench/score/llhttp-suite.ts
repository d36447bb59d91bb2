import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { http } from '../../src/protocols/http/index.js'
import { redactQuery } from '../../src/protocols/http/redact-query.js'
import { redactPath } from '../../src/protocols/path-segments.js'
import { type Call, client, server } from '../../test/protocols/conversation.js'
import { drive } from '../../test/protocols/drive.js'
import type { Observation } from '../../test/protocols/observation-recorder.js'
import { firstDifference, type ScoredCase, type Suite, scoreCase } from './verdict.js'

interface LlhttpCase {
  readonly name: string
  readonly type: string
  readonly skipBody: boolean
  readonly input: string
  readonly log: readonly string[]
}

/** What llhttp says of one message. */
interface Message {
  method: string
  target: string
  status: number
  body: number
  /** Its head was read to its end. */
  headed: boolean
  complete: boolean
  /** Whole bodies are announced and left out by whoever called llhttp. */
  bodySkipped: boolean
}

/** The Markdown cases of nodejs/llhttp's tests. */
export function llhttpSuite(side: 'request' | 'response', exclusions: Readonly<Record<string, string>>): Suite {
  return {
    name: `llhttp-${side}`,
    protocol: 'http',
    folder: join('llhttp', side),
    rule:
      'A case is one input with its log. Every message whose head llhttp reads is compared by method and target, or by ' +
      'status, by length of body, and by whether it is complete. A message that llhttp refuses may be told or not, but ' +
      'not as another one; what stands behind it is not compared, because llhttp stops there.',
    score: async folder => {
      const scored: ScoredCase[] = []
      for (const file of readdirSync(folder)
        .filter(each => each.endsWith('.md'))
        .sort()) {
        const cases = parseCases(readFileSync(join(folder, file), 'utf8'))
        for (const each of cases) {
          const name = `${file.replace('.md', '')}: ${each.name}`
          scored.push(await scoreCase(name, exclusions, () => compare(each)))
        }
      }
      return scored
    },
  }
}

const CASE = /<!--\s*meta=(\{.*?\})\s*-->\s*```http\n([\s\S]*?)```[\s\S]*?```log\n([\s\S]*?)```/g

function parseCases(text: string): LlhttpCase[] {
  const cases: LlhttpCase[] = []
  const used = new Map<string, number>()
  for (const match of text.matchAll(CASE)) {
    const meta = JSON.parse(match[1]!) as { type: string; skipBody?: boolean }
    const title =
      text
        .slice(0, match.index)
        .match(/^#{2,4} (.*)$/gm)
        ?.at(-1) ?? '## (untitled)'
    const plain = title.replace(/^#+ /, '')
    const count = (used.get(plain) ?? 0) + 1
    used.set(plain, count)
    cases.push({
      name: count === 1 ? plain : `${plain} (${count})`,
      type: meta.type,
      skipBody: meta.skipBody === true,
      input: inputOf(match[2]!),
      log: match[3]!.trim().split('\n'),
    })
  }
  return cases
}

/** As llhttp's own tests read an input: line ends are CRLF, a backslash at the end of a line joins it to the next. */
function inputOf(input: string): string {
  return input
    .replace(/\n$/, '')
    .replace(/\\\n/g, '')
    .replace(/\n/g, '\r\n')
    .replace(/\\r/g, '\r')
    .replace(/\\n/g, '\n')
    .replace(/\\t/g, '\t')
    .replace(/\\f/g, '\f')
    .replace(/\\x([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

function parseLog(log: readonly string[]): { messages: Message[]; refused: string | undefined } {
  const messages: Message[] = []
  let refused: string | undefined
  for (const line of log) {
    const last = messages.at(-1)
    const span = /len=(\d+) span\[(\w+)\]=("?)(.*?)\3$/.exec(line)
    if (/message begin$/.test(line)) messages.push(emptyMessage())
    else if (/ error code=\d+ reason="(.*)"/.test(line)) refused = /reason="(.*)"/.exec(line)![1]
    else if (last === undefined) continue
    else if (span !== null) addSpan(last, span[2]!, span[4]!, Number(span[1]))
    else if (/headers complete/.test(line)) {
      last.headed = true
      last.status = Number(/status=(\d+)/.exec(line)?.[1] ?? 0)
    } else if (/skip body$/.test(line)) last.bodySkipped = true
    else if (/message complete$/.test(line)) last.complete = true
  }
  return { messages, refused }
}

const emptyMessage = (): Message => ({
  method: '',
  target: '',
  status: 0,
  body: 0,
  headed: false,
  complete: false,
  bodySkipped: false,
})

function addSpan(message: Message, kind: string, value: string, length: number): void {
  if (kind === 'method') message.method += value
  else if (kind === 'url') message.target += value
  else if (kind === 'body') message.body += length
}

const METHODS = new Set(['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'CONNECT', 'TRACE', 'QUERY'])

/** Method and target in the words of our attributes: what is redacted there is redacted here. */
function requestText({ method, target }: Message): string {
  const known = METHODS.has(method) ? method : `_OTHER(${method})`
  if (method === 'CONNECT') return known
  const [path = '', query] = target.replace(/#.*$/, '').split(/\?(.*)/s)
  const withoutHost = path.replace(/^[a-z]+:\/\/[^/]*/i, '')
  return `${known} ${redactPath(withoutHost)}${query === undefined ? '' : `?${redactQuery(query)}`}`
}

function ourRequest({ exchange }: Observation): string {
  const { attributes } = exchange
  const method = attributes['http.request.method']
  const known = method === '_OTHER' ? `_OTHER(${attributes['http.request.method_original']})` : `${method}`
  if (method === 'CONNECT') return known
  const query = attributes['url.query']
  return `${known} ${attributes['url.path'] ?? ''}${query === undefined ? '' : `?${query}`}`
}

function compare(each: LlhttpCase): string | undefined {
  const { messages, refused } = parseLog(each.log)
  const isRequest = each.type.startsWith('request')
  const observations = isRequest ? readRequests(each, messages) : readResponses(each, messages)
  const read = messages.filter(message => message.headed)
  const theirs = read.map(message => describe(message, isRequest, refused !== undefined && !message.complete))
  const ours = observations.map((observation, index) => describeOurs(observation, isRequest, read[index]))
  if (refused === undefined) return firstDifference(theirs, ours)
  const common = ours.slice(0, theirs.length)
  const different = firstDifference(theirs, pad(common, theirs))
  const [told] = observations.slice(theirs.length)
  if (different !== undefined || told === undefined || !isRequest) return different
  // llhttp knows a list of methods, and stops in the middle of one that is not on it.
  const method = messages[theirs.length]?.method ?? ''
  const ourMethod = ourRequest(told).replace('_OTHER(', '')
  return ourMethod.startsWith(method) ? undefined : `refused by llhttp (${refused}), told as ${ourRequest(told)}`
}

/** A message that is refused in its body need not be told. */
function pad(ours: readonly string[], theirs: readonly string[]): string[] {
  return [...ours, ...theirs.slice(ours.length).map(text => (text.endsWith('cut') ? text : 'nothing'))]
}

function describe(message: Message, isRequest: boolean, cut: boolean): string {
  const what = isRequest ? requestText(message) : String(message.status)
  if (cut) return `${what} cut`
  return message.bodySkipped ? what : `${what} ${message.body}${message.complete ? '' : ' open'}`
}

function describeOurs(observation: Observation, isRequest: boolean, theirs: Message | undefined): string {
  const { exchange, requestEnd } = observation
  const what = isRequest ? ourRequest(observation) : String(exchange.attributes['http.response.status_code'] ?? '-')
  if (theirs === undefined) return what
  if (theirs.bodySkipped) return what
  const bytes = isRequest ? exchange.requestBodyBytes : exchange.responseBodyBytes
  const complete = isRequest ? requestEnd !== undefined && !exchange.truncated : true
  return `${what} ${bytes ?? theirs.body}${complete && theirs.complete ? '' : ' open'}`
}

function readRequests({ input }: LlhttpCase, messages: readonly Message[]): Observation[] {
  const calls: Call[] = [client(input)]
  // What follows an upgrade or CONNECT is only read once the server has refused it.
  for (const message of messages) {
    if (message.method === 'CONNECT') break
    calls.push(server('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'))
  }
  return drive(http, calls).observations
}

function readResponses({ input, skipBody }: LlhttpCase, messages: readonly Message[]): Observation[] {
  const finals = messages.filter(({ status }) => status === 0 || status === 101 || status >= 200).length
  const method = skipBody ? 'HEAD' : 'GET'
  const requests = Math.max(1, finals) + 1
  const asked = Array.from({ length: requests }, () => `${method} / HTTP/1.1\r\nHost: a\r\n\r\n`).join('')
  const { observations } = drive(http, [client(asked), server(input, true)])
  return observations.filter(({ responseBegin }) => responseBegin !== undefined)
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { redactQuery } from '../../src/protocols/http/redact-query.js'
import { createRouteTemplates } from '../../src/protocols/learned-route-templates.js'
import { type Call, client, drive, expectExchange, type Observation, runCodecCases, seeded, server } from './harness.js'
import { cases, module } from './http-cases.js'

runCodecCases('http', module, cases)

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`
const summary = (observations: readonly Observation[]) =>
  observations.map(({ exchange, abandoned }) => {
    const status = exchange.attributes['http.response.status_code'] ?? '-'
    return `${exchange.name} ${abandoned ? 'abandoned' : status}${exchange.truncated ? ' truncated' : ''}`
  })

test('a body beyond what is copied does not disturb the messages behind it', () => {
  const body = 'x'.repeat(5000)
  const { observations } = drive(
    module,
    [
      client(`POST /a HTTP/1.1\r\nContent-Length: 5000\r\n\r\n${body}`),
      server(`HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n${body}`),
      client(get('/b')),
      server(`HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n${body}`),
      server('y'.repeat(4000)),
      client(get('/c')),
      server(OK),
    ],
    { head: 64 },
  )
  assert.deepEqual(summary(observations), ['POST /a 200', 'GET /b 200', 'GET /c 200'])
})

test('a request head that is cut is told as far as it goes, and the next call is read again', () => {
  const long = `GET /a/b?token=${'t'.repeat(40)} HTTP/1.1\r\nHost: a\r\nCookie: ${'c'.repeat(900)}\r\nX-A: b\r\n\r\n`
  const { observations, counters } = drive(module, [client(long), server(OK), client(get('/next')), server(OK)], {
    head: 512,
  })
  assert.deepEqual(summary(observations), ['GET /a/b 200 truncated', 'GET /next 200'])
  expectExchange(observations[0]!, { attributes: { 'url.query': 'token=REDACTED' }, requestEnd: long.length })
  assert.equal(counters.counter('protocols.http.head_cut').value, 1)
})

test('a target that is cut in its path gives no route, one that is cut in its query does', () => {
  for (const [target, name] of [
    [`/a/${'b'.repeat(600)}`, 'GET'],
    [`/a?b=${'c'.repeat(600)}`, 'GET /a'],
  ] as const) {
    const { observations } = drive(module, [client(get(target)), server(OK)], { head: 256 })
    assert.deepEqual(summary(observations), [`${name} 200 truncated`])
    assert.equal(observations[0]!.exchange.attributes['url.query'], undefined)
  }
})

test('an answer head that is cut ends where its Content-Length says, if that was seen', () => {
  const cookie = `Set-Cookie: ${'c'.repeat(700)}\r\n`
  const head = `HTTP/1.1 503 Busy\r\nContent-Length: 3000\r\n${cookie}\r\n`
  const { observations } = drive(
    module,
    [client(get('/a')), server(head + 'x'.repeat(1000)), server('x'.repeat(2000)), client(get('/b')), server(OK)],
    { head: 512 },
  )
  assert.deepEqual(summary(observations), ['GET /a 503 truncated', 'GET /b 200'])
  assert.equal(observations[0]!.end, head.length + 3000)
  assert.equal(observations[0]!.exchange.serverError, '503')
})

test('an answer head that is cut before its length was seen ends with its call', () => {
  const head = `HTTP/1.1 200 OK\r\nSet-Cookie: ${'c'.repeat(700)}\r\nContent-Length: 3000\r\n\r\n`
  const { observations } = drive(
    module,
    [client(get('/a')), server(head + 'x'.repeat(1000)), server('x'.repeat(2000)), client(get('/b')), server(OK)],
    { head: 512 },
  )
  assert.deepEqual(summary(observations), ['GET /a 200 truncated', 'GET /b 200'])
  assert.equal(observations[0]!.end, head.length + 1000)
})

test('heads that do not fit make the module ask for more', () => {
  const long = `GET / HTTP/1.1\r\nCookie: ${'c'.repeat(2000)}\r\n\r\n`
  const { connection } = drive(module, [client(get('/')), server(OK), client(long), server(OK)], { head: 1024 })
  assert.deepEqual(connection.wants, { ...module.wants, clientHead: 4096 })
  assert.equal(drive(module, [client(get('/')), server(OK)]).connection.wants, undefined)
})

test('the last chunk of a call is known by its length when it was not copied', () => {
  const chunked = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n${'x'.repeat(1000)}\r\n0\r\n\r\n`
  const { observations } = drive(module, [client(get('/a')), server(chunked), client(get('/b')), server(OK)], {
    head: 512,
  })
  assert.deepEqual(summary(observations), ['GET /a 200', 'GET /b 200'])
  assert.equal(observations[0]!.end, chunked.length)
})

test('chunks whose sizes were not copied end the answer there, marked as truncated', () => {
  const chunk = `3e8\r\n${'x'.repeat(1000)}\r\n`
  const { observations } = drive(
    module,
    [
      client(get('/a')),
      server(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}${chunk}`),
      server(`${chunk}0\r\n\r\n`),
      client(get('/b')),
      server(OK),
    ],
    { head: 512 },
  )
  assert.deepEqual(summary(observations), ['GET /a 200 truncated', 'GET /b 200'])
})

test('an answer that was lost with its event leaves its request unanswered, and pairs stay together', () => {
  const conversation = [client(get('/a')), server(OK), client(get('/b')), server(OK), client(get('/c')), server(OK)]
  const { observations } = drive(module, conversation, { lost: new Set([3]) })
  assert.deepEqual(summary(observations), ['GET /a 200', 'GET /b abandoned', 'GET /c 200 truncated'])
})

test('a request that was lost with its event leaves its answer without an exchange, and pairs stay together', () => {
  const conversation = [client(get('/a')), server(OK), client(get('/b')), server(OK), client(get('/c')), server(OK)]
  const { observations } = drive(module, conversation, { lost: new Set([2]) })
  assert.deepEqual(summary(observations), ['GET /a 200', 'GET /c 200 truncated'])
})

test('whatever events are lost, no answer is surely taken for that of another request', () => {
  let paired = 0
  let wrong = 0
  for (let seed = 1; seed <= 300; seed++) {
    const random = seeded(seed)
    const conversation: Call[] = []
    for (let n = 0; n < 30; n++) {
      const body = 'b'.repeat(random(3) * random(2000))
      const chunked = random(2) === 0
      conversation.push(client(`POST /n${n} HTTP/1.1\r\nContent-Length: ${body.length}\r\n\r\n`))
      if (body !== '') conversation.push(client(body))
      const head = `HTTP/1.1 200 OK\r\nX-Request-Id: n${n}\r\n`
      if (chunked) {
        conversation.push(server(`${head}Transfer-Encoding: chunked\r\n\r\n`))
        conversation.push(server(`${(body.length + 1).toString(16)}\r\n${body}!\r\n`), server('0\r\n\r\n'))
      } else {
        conversation.push(server(`${head}Content-Length: ${body.length}\r\n\r\n${body}`))
      }
    }
    const lost = new Set(conversation.flatMap((_, index) => (random(8) === 0 ? [index] : [])))
    const { observations, failed } = drive(module, conversation, { lost, head: 512 })
    assert.equal(failed, false)
    for (const { exchange, abandoned } of observations) {
      const answer = exchange.contentKeys.find(({ type }) => type === 'x-request-id')?.value
      if (answer === undefined || abandoned) continue
      const right = exchange.name === `POST /${answer}`
      if (!exchange.truncated) assert.ok(right, `seed ${seed}: ${exchange.name} has the answer of ${answer}`)
      if (right) paired++
      else wrong++
    }
  }
  // Of 9,000, each with its two to five calls, of which one in eight is lost.
  assert.ok(paired > 6000, `${paired} pairs`)
  assert.ok(wrong < 30, `${wrong} wrong ones, marked as uncertain`)
})

test('a request whose answer came before it is given up when the next one comes', () => {
  const { observations } = drive(module, [
    client(get('/a')),
    server(OK),
    server(OK.replace('200', '201')),
    client(get('/early')),
    client(get('/c')),
    server(OK),
    client(get('/d')),
    server(OK),
  ])
  assert.deepEqual(summary(observations), ['GET /a 200', 'GET /early abandoned', 'GET /c 200', 'GET /d 200'])
})

test('bytes that are not HTTP at the start of a connection give it up', () => {
  for (const sender of [client, server]) {
    assert.equal(drive(module, [sender('SSH-2.0-OpenSSH_9.2p1\r\n')]).failed, true)
    assert.equal(drive(module, [sender(new Uint8Array([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]))]).failed, true)
  }
})

test('bytes that are not HTTP between messages are passed over, and too many of them give the connection up', () => {
  const start = [client(get('/a')), server(OK)]
  const stray = client('\0\x01\x02 what is this\n')
  const { observations, failed } = drive(module, [...start, stray, client(get('/b')), server(OK)])
  assert.deepEqual(summary(observations), ['GET /a 200', 'GET /b 200'])
  assert.equal(failed, false)
  assert.equal(drive(module, [...start, ...Array(30).fill(stray)]).failed, true)
})

test('lengths that cannot be are not followed', () => {
  for (const length of ['99999999999999999999', '-1', '0x10', '1 2', '3, 4', '']) {
    const { observations } = drive(module, [
      client(`POST /a HTTP/1.1\r\nContent-Length: ${length}\r\n\r\nabc`),
      server('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'),
      client(get('/b')),
      server(OK),
    ])
    assert.deepEqual(summary(observations), ['POST /a 400 truncated', 'GET /b 200'], length)
  }
})

test('a length beyond any file leaves the connection usable after the answer is abandoned', () => {
  const { observations } = drive(module, [
    client(get('/a')),
    server('HTTP/1.1 200 OK\r\nContent-Length: 9007199254740991\r\n\r\nabc'),
  ])
  assert.deepEqual(summary(observations), ['GET /a abandoned'])
})

test('headers without end are read up to a bound, then passed over', () => {
  const endless = [client('GET /a HTTP/1.1\r\n')]
  for (let line = 0; line < 1000; line++) endless.push(client(`X-${line}: ${'v'.repeat(100)}\r\n`))
  const { observations, counters } = drive(module, [...endless, server(OK), client(get('/b')), server(OK)])
  assert.deepEqual(summary(observations), ['GET /a 200 truncated', 'GET /b 200'])
  assert.equal(counters.counter('protocols.http.head_cut').value, 1)
})

test('a header line without end is given up as well', () => {
  const endless = [client('GET /a HTTP/1.1\r\nX: ')]
  for (let piece = 0; piece < 1000; piece++) endless.push(client('v'.repeat(100)))
  const { observations } = drive(module, [...endless, server(OK), client(get('/b')), server(OK)])
  assert.deepEqual(summary(observations), ['GET /a 200 truncated', 'GET /b 200'])
})

test('requests sent ahead without end give the connection up', () => {
  const { failed, observations } = drive(module, [client(get('/a').repeat(1100))])
  assert.equal(failed, true)
  assert.ok(observations.every(({ abandoned }) => abandoned))
  assert.equal(observations.length, 1025)
})

test('client and server of a proxied request share a forward key, others do not', () => {
  const key = (request: string): string | undefined => {
    const { observations } = drive(module, [client(request), server(OK)])
    return observations[0]!.exchange.contentKeys.find(({ type }) => type === 'http-forward')?.value
  }
  const post = key('POST /o?a=1 HTTP/1.1\r\nHost: front\r\nContent-Length: 3\r\n\r\nabc')
  assert.notEqual(post, undefined)
  assert.equal(key('POST /o?a=1 HTTP/1.0\r\nHost: back\r\nX-Forwarded-For: b\r\nContent-Length: 3\r\n\r\nabc'), post)
  assert.equal(key('POST /o?a=1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'), post)
  assert.equal(key('POST http://front/o?a=1 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc'), post)
  assert.notEqual(key('POST /o?a=2 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc'), post)
  assert.notEqual(key('POST /o?a=1 HTTP/1.1\r\nContent-Length: 4\r\n\r\nabcd'), post)
  assert.notEqual(key('PUT /o?a=1 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc'), post)
})

test('nothing secret leaves the module', () => {
  const secret = 'gAAAAABkS3cr3tS3cr3tS3cr3tS3cr3tS3cr3t'
  const { observations } = drive(
    module,
    [
      client(
        `GET http://bob:${secret}@h/reset/${secret};jsessionid=${secret}?t=${secret}&${secret}&a=${secret}#${secret} HTTP/1.1\r\n` +
          `Authorization: Bearer ${secret}\r\nCookie: a=${secret}\r\nX-Auth-Token: ${secret}\r\nHost: ${'a'.repeat(9)}\r\n\r\n`,
      ),
      server(`HTTP/1.1 200 OK\r\nSet-Cookie: ${secret}\r\nX-Subject-Token: ${secret}\r\nContent-Length: 0\r\n\r\n`),
    ],
    { routes: createRouteTemplates() },
  )
  assert.ok(!JSON.stringify(observations).includes(secret), JSON.stringify(observations, undefined, 1))
  expectExchange(observations[0]!, {
    name: 'GET /reset/{id}',
    attributes: { 'url.path': '/reset/REDACTED', 'url.query': 't=REDACTED&REDACTED&a=REDACTED' },
  })
})

test('names come from the route templates of the service', () => {
  const routes = createRouteTemplates()
  const { observations } = drive(module, [client(get('/items/42?x=1')), server(OK)], { routes })
  expectExchange(observations[0]!, {
    name: 'GET /items/{id}',
    attributes: { 'http.route': '/items/{id}', 'url.path': '/items/42' },
  })
})

test('a CONNECT has no body whatever its headers say', () => {
  const { observations } = drive(module, [
    client('CONNECT shop:443 HTTP/1.1\r\nHost: shop:443\r\nContent-Length: 10\r\n\r\n'),
    server('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n'),
    client(get('/next')),
    server(OK),
  ])
  assert.deepEqual(summary(observations), ['CONNECT 407', 'GET /next 200'])
  assert.equal(observations[0]!.exchange.requestBodyBytes, 0)
})

test('a connection that ends within the head of an answer tells its status', () => {
  const { observations } = drive(module, [client(get('/a')), server('HTTP/1.0 503 Busy\r\nServer: b')])
  assert.deepEqual(summary(observations), ['GET /a 503 truncated'])
  const early = drive(module, [client(get('/a')), server('HTTP/1.0 503 Bu')])
  assert.deepEqual(summary(early.observations), ['GET /a abandoned'])
})

test('A query that is nothing but a token is not shown', () => {
  assert.equal(redactQuery('Y0eukwfliEsPI3Dq'), 'REDACTED')
  assert.equal(redactQuery('debug&a=1'), 'debug&a=REDACTED')
})

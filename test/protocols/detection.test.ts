import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import type { Detection, ProtocolModule, Sender } from '../../src/protocols/protocol.js'
import { protocolModules } from '../../src/protocols/registry.js'
import type { CodecCase } from './harness.js'

/** Every `<protocol>-cases` file beside this one exports the module and its cases. */
const fixtures: { readonly module: ProtocolModule; readonly cases: readonly CodecCase[] }[] = await Promise.all(
  readdirSync(new URL('.', import.meta.url))
    .filter(file => /-cases\.(ts|js)$/.test(file))
    .map(file => import(new URL(file, import.meta.url).href)),
)

/** What a driver shows a module at most. */
const LONGEST_LOOK = 256

const show = (bytes: Uint8Array): string => JSON.stringify(Buffer.from(bytes.subarray(0, 40)).toString('latin1'))
const detect = (module: ProtocolModule, bytes: Uint8Array): Detection =>
  module.detect(bytes, 0, Math.min(bytes.length, LONGEST_LOOK))

const firstCalls = fixtures.flatMap(({ module, cases }) =>
  cases.flatMap(({ name, conversation, joined, failed, expected }) => {
    const call = conversation.find(({ bytes }) => bytes.length > 0)
    const isRefused = failed === true && expected.length === 0
    return call === undefined || joined || isRefused ? [] : [{ module, name, call }]
  }),
)
const allCalls = fixtures.flatMap(({ module, cases }) =>
  cases.flatMap(({ name, conversation, failed }) => {
    // What a module gives a connection up for may well be another protocol's.
    const own = failed === true ? conversation.slice(0, -1) : conversation
    return own.map(call => ({ module, name, call }))
  }),
)

/** What an application answers over uwsgi is what a web server passes on: HTTP. */
const speaksAs = (owner: ProtocolModule, { sender }: { readonly sender: Sender }): string | undefined =>
  owner.name === 'uwsgi' && sender === 'server' ? 'http' : undefined

test('there are cases for every registered protocol', () => {
  for (const { name } of protocolModules) {
    assert.ok(
      fixtures.some(({ module }) => module.name === name),
      `test/protocols/${name}-cases.ts is to export \`module\` and \`cases\`, as http-cases.ts does`,
    )
  }
})

for (const module of protocolModules) {
  test(`${module.name} knows its own first bytes and who sends them`, () => {
    for (const { module: owner, name, call } of firstCalls) {
      if (owner.name !== module.name) continue
      const { match, sender } = detect(module, call.bytes)
      assert.notEqual(match, 'no', `${name}: ${show(call.bytes)}`)
      if (sender !== undefined) assert.equal(sender, call.sender, `${name}: ${show(call.bytes)}`)
    }
  })

  test(`${module.name} claims no other protocol's bytes`, () => {
    for (const { module: owner, name, call } of allCalls) {
      if (owner.name === module.name || speaksAs(owner, call) === module.name) continue
      assert.notEqual(detect(module, call.bytes).match, 'yes', `${owner.name}, ${name}: ${show(call.bytes)}`)
    }
  })

  test(`${module.name} claims no bytes of protocols that are not read`, () => {
    for (const [name, bytes] of foreign()) {
      assert.notEqual(detect(module, bytes).match, 'yes', `${name}: ${show(bytes)}`)
    }
  })

  test(`${module.name} looks at nothing outside the bytes it is shown`, () => {
    for (const { call } of allCalls) {
      const length = Math.min(call.bytes.length, LONGEST_LOOK)
      const lengths = [0, 1, 2, 3, 4, 5, 7, 8, 9, 11, 12, 16, 24, 60, 100].filter(n => n < length)
      for (const count of [...lengths, length]) {
        const results = [0x00, 0xff, 0x0a].map(filler => {
          const amid = new Uint8Array(count + 64).fill(filler)
          amid.set(call.bytes.subarray(0, count), 32)
          return module.detect(amid, 32, 32 + count)
        })
        const alone = module.detect(call.bytes.slice(0, count), 0, count)
        for (const result of results) assert.deepEqual(result, alone, `${count} bytes of ${show(call.bytes)}`)
      }
    }
  })
}

test('at the first bytes of a connection the first module that is sure is the right one', () => {
  for (const { module: owner, name, call } of firstCalls) {
    const sure = protocolModules.find(module => {
      const { match, sender } = detect(module, call.bytes)
      return match === 'yes' && (sender === undefined || sender === call.sender)
    })
    if (sure !== undefined) assert.equal(sure.name, owner.name, `${name}: ${show(call.bytes)}`)
  }
})

/** First bytes of connections that belong to nobody here. */
function foreign(): [string, Uint8Array][] {
  const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value, 'latin1'))
  const hex = (value: string): Uint8Array => new Uint8Array(Buffer.from(value.replaceAll(' ', ''), 'hex'))
  return [
    ['nothing', new Uint8Array(0)],
    ['zeros', new Uint8Array(300)],
    ['ones', new Uint8Array(300).fill(0xff)],
    ['spaces', text(' '.repeat(300))],
    ['line feeds', text('\r\n'.repeat(100))],
    ['SSH', text('SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n')],
    ['SMTP server', text('220 mail.example ESMTP Postfix\r\n')],
    ['SMTP client', text('EHLO client.example\r\n')],
    ['FTP', text('220 (vsFTPd 3.0.3)\r\n')],
    ['POP3', text('+OK POP3 ready <1896.697170952@example.org>\r\n')],
    ['IRC', text('NICK ghost\r\nUSER ghost 0 * :ghost\r\n')],
    ['SIP', text('INVITE sip:bob@example.org SIP/2.0\r\nVia: SIP/2.0/UDP a\r\n')],
    ['RTSP', text('OPTIONS rtsp://example.org/a RTSP/1.0\r\nCSeq: 1\r\n\r\n')],
    ['NATS server', text('INFO {"server_id":"NA","version":"2.10"}\r\n')],
    ['NATS client', text('CONNECT {"verbose":false,"pedantic":false}\r\n')],
    ['STOMP', text('CONNECT\naccept-version:1.2\nhost:a\n\n\0')],
    ['MQTT connect', hex('10 10 00 04 4d 51 54 54 04 02 00 3c 00 04 67 68 6f 73')],
    ['MongoDB', hex('3a 00 00 00 01 00 00 00 00 00 00 00 d4 07 00 00 00 00 00 00 61 64 6d 69 6e 2e 24 63 6d 64 00')],
    ['AMQP 1.0', hex('41 4d 51 50 00 01 00 00')],
    ['ZMTP', hex('ff 00 00 00 00 00 00 00 01 7f 03 00 4e 55 4c 4c')],
    ['LDAP bind', hex('30 0c 02 01 01 60 07 02 01 03 04 00 80 00')],
    ['JSON', text('{"jsonrpc":"2.0","method":"get","id":1}\n')],
    ['log line', text('2026-01-01T00:00:00Z INFO GET /items HTTP 200\n')],
    ['ELF', hex('7f 45 4c 46 02 01 01 00 00 00 00 00 00 00 00 00 02 00 3e 00')],
  ]
}

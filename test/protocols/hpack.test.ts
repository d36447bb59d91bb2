import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HeaderDecoder } from '../../src/protocols/http2/header-decoder.js'
import { decodeHuffman } from '../../src/protocols/http2/huffman.js'
import { added, indexed, known, literal, tableSize } from './http2-frames.js'

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const latin1 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'))

/** Decodes one block; fields as 'name: value', '?' for what is not known. */
function decode(decoder: HeaderDecoder, block: Uint8Array): { fields: string[]; state: string } {
  const fields: string[] = []
  const state = decoder.decode(block, 0, block.length, {
    header: (name, value) => void fields.push(`${name}: ${value ?? '?'}`),
    unknown: () => void fields.push('?'),
  })
  return { fields, state }
}

const FIRST = [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com']
const SECOND = [...FIRST, 'cache-control: no-cache']
const THIRD = [
  ':method: GET',
  ':scheme: https',
  ':path: /index.html',
  ':authority: www.example.com',
  'custom-key: custom-value',
]
const ANSWERS = [
  [
    ':status: 302',
    'cache-control: private',
    'date: Mon, 21 Oct 2013 20:13:21 GMT',
    'location: https://www.example.com',
  ],
  [
    ':status: 307',
    'cache-control: private',
    'date: Mon, 21 Oct 2013 20:13:21 GMT',
    'location: https://www.example.com',
  ],
  [
    ':status: 200',
    'cache-control: private',
    'date: Mon, 21 Oct 2013 20:13:22 GMT',
    'location: https://www.example.com',
    'content-encoding: gzip',
    'set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
  ],
]

/** RFC 7541, appendix C: blocks, their fields, and the table's size after each. */
const SEQUENCES: { name: string; size?: number; blocks: [block: string, fields: string[], tableSize: number][] }[] = [
  {
    name: 'C.2.1, a literal that is added',
    blocks: [['400a637573746f6d2d6b65790d637573746f6d2d686561646572', ['custom-key: custom-header'], 55]],
  },
  { name: 'C.2.2, one that is not', blocks: [['040c2f73616d706c652f70617468', [':path: /sample/path'], 0]] },
  { name: 'C.2.3, one that never is', blocks: [['100870617373776f726406736563726574', ['password: secret'], 0]] },
  { name: 'C.2.4, an index', blocks: [['82', [':method: GET'], 0]] },
  {
    name: 'C.3, requests',
    blocks: [
      ['828684410f7777772e6578616d706c652e636f6d', FIRST, 57],
      ['828684be58086e6f2d6361636865', SECOND, 110],
      ['828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565', THIRD, 164],
    ],
  },
  {
    name: 'C.4, requests with Huffman code',
    blocks: [
      ['828684418cf1e3c2e5f23a6ba0ab90f4ff', FIRST, 57],
      ['828684be5886a8eb10649cbf', SECOND, 110],
      ['828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf', THIRD, 164],
    ],
  },
  {
    name: 'C.5, responses, with evictions',
    size: 256,
    blocks: [
      [
        '4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e' +
          '1768747470733a2f2f7777772e6578616d706c652e636f6d',
        ANSWERS[0]!,
        222,
      ],
      ['4803333037c1c0bf', ANSWERS[1]!, 222],
      [
        '88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d' +
          '4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b20766572' +
          '73696f6e3d31',
        ANSWERS[2]!,
        215,
      ],
    ],
  },
  {
    name: 'C.6, responses with Huffman code, with evictions',
    size: 256,
    blocks: [
      [
        '488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3',
        ANSWERS[0]!,
        222,
      ],
      ['4883640effc1c0bf', ANSWERS[1]!, 222],
      [
        '88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f36' +
          '72c1ab270fb5291f9587316065c003ed4ee5b1063d5007',
        ANSWERS[2]!,
        215,
      ],
    ],
  },
]

for (const { name, size, blocks } of SEQUENCES) {
  test(`RFC 7541 ${name}`, () => {
    const decoder = new HeaderDecoder({ fresh: true })
    if (size !== undefined) decode(decoder, latin1(tableSize(size)))
    for (const [block, fields, after] of blocks) {
      assert.deepEqual(decode(decoder, hex(block)), { fields, state: 'complete' })
      assert.equal(decoder.tableSize, after)
    }
  })
}

test('a block that is cut gives what stands before the cut', () => {
  const block = hex('828684418cf1e3c2e5f23a6ba0ab90f4ff')
  for (let length = 0; length < block.length; length++) {
    const { fields, state } = decode(new HeaderDecoder({ fresh: true }), block.subarray(0, length))
    assert.deepEqual(fields, FIRST.slice(0, fields.length))
    assert.equal(state, length <= 3 ? 'complete' : 'cut', `${length} bytes`)
  }
})

test('after a joining only what was added since is known, and nothing is guessed', () => {
  const decoder = new HeaderDecoder({ fresh: false })
  assert.deepEqual(decode(decoder, latin1(indexed(62) + known(':method', 'GET'))).fields, ['?', ':method: GET'])
  assert.deepEqual(decode(decoder, latin1(added(':path', '/a') + indexed(62) + indexed(63))).fields, [
    ':path: /a',
    ':path: /a',
    '?',
  ])
  // A name out of the unseen part, with a new value: the value cannot be used either.
  assert.deepEqual(decode(decoder, hex('7f00 01 78')).fields, ['?'])
  assert.deepEqual(decode(decoder, latin1(indexed(63))).fields, [':path: /a'])
})

test('a lost block makes everything before it unknown', () => {
  const decoder = new HeaderDecoder({ fresh: true })
  decode(decoder, latin1(added(':path', '/a')))
  decoder.lose()
  assert.equal(decoder.complete, false)
  assert.deepEqual(decode(decoder, latin1(indexed(62))).fields, ['?'])
  decode(decoder, latin1(tableSize(0) + tableSize(4096)))
  assert.equal(decoder.complete, true)
})

test('an index that cannot be there is malformed where the table is known, and unknown where it is not', () => {
  assert.equal(decode(new HeaderDecoder({ fresh: true }), latin1(indexed(62))).state, 'malformed')
  assert.deepEqual(decode(new HeaderDecoder({ fresh: false }), latin1(indexed(62))).state, 'complete')
  assert.equal(decode(new HeaderDecoder({ fresh: true }), hex('80')).state, 'malformed')
})

test('values of names that are not kept are never made', () => {
  const decoder = new HeaderDecoder({ fresh: true, keeps: name => name !== 'authorization' })
  const block = latin1(added('authorization', 'Bearer s3cret') + indexed(62) + literal('x', 'y'))
  assert.deepEqual(decode(decoder, block).fields, ['authorization: ?', 'authorization: ?', 'x: y'])
  assert.equal(decoder.tableSize, 32 + 'authorization'.length + 'Bearer s3cret'.length)
})

test('no integer, length or size makes the decoder throw, loop or grow', () => {
  for (const block of [
    'ffffffffffffffff',
    '3fffffffff7f',
    '40ffffffffff',
    '7fffffffffffffff',
    '00ff',
    '0085ffffffffff',
  ]) {
    assert.notEqual(decode(new HeaderDecoder({ fresh: false }), hex(block)).state, 'complete', block)
  }
  const decoder = new HeaderDecoder({ fresh: true })
  decode(decoder, latin1(tableSize(0x0fff_0000)))
  for (let i = 0; i < 200; i++) decode(decoder, latin1(added('x'.repeat(100), String(i).repeat(300))))
  assert.ok(decoder.tableSize <= 65_536)
})

test('random bytes are read to their end or refused', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }), fc.boolean(), (blocks, fresh) => {
      const decoder = new HeaderDecoder({ fresh })
      for (const block of blocks) {
        const { fields, state } = decode(decoder, block)
        assert.ok(fields.length <= block.length)
        assert.ok(['complete', 'cut', 'malformed'].includes(state))
        assert.ok(decoder.tableSize <= 65_536)
      }
    }),
    { numRuns: 300 },
  )
})

test('Huffman padding must be ones, fewer than eight, and never a whole EOS', () => {
  const into = new Uint8Array(64)
  const length = (bytes: string): number => decodeHuffman(hex(bytes), 0, hex(bytes).length, into)
  assert.equal(length('1f'), 1) // 'a' and three ones
  assert.equal(length('18'), -1) // 'a' and zeros
  assert.equal(length('1fff'), -1) // eleven ones
  assert.equal(length('ffffffff'), -1) // EOS
})

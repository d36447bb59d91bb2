import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { RowBinaryWriter } from '../../src/archive/row-binary.js'

const written = (write: (writer: RowBinaryWriter) => void): Buffer => {
  const writer = new RowBinaryWriter(8)
  write(writer)
  return Buffer.from(writer.bytes())
}
const varint = (value: number): number[] =>
  value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))]
const text = (value: string): Buffer => {
  const bytes = Buffer.from(value)
  return Buffer.concat([Buffer.from(varint(bytes.length)), bytes])
}

describe('RowBinary', () => {
  it('writes any text with its length in bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), value => {
        assert.deepEqual(
          written(writer => writer.text(value)),
          text(value),
        )
      }),
    )
  })
  it('writes texts whose length needs more bytes than their letters let expect', () => {
    for (const value of [
      'é'.repeat(100),
      'é'.repeat(64),
      '€'.repeat(127),
      '€'.repeat(6000),
      'x'.repeat(127),
      'x'.repeat(20_000),
    ]) {
      assert.deepEqual(
        written(writer => writer.text(value)),
        text(value),
      )
    }
  })
  it('writes numbers as the texts that JavaScript makes of them', () => {
    fc.assert(
      fc.property(fc.oneof(fc.integer(), fc.maxSafeNat(), fc.double()), value => {
        assert.deepEqual(
          written(writer => writer.numberText(value)),
          text(String(value)),
        )
      }),
    )
    for (const value of [
      0,
      -0,
      9,
      10,
      99,
      100,
      2147483647,
      2147483648,
      -1,
      0.5,
      1e21,
      Number.NaN,
      Number.POSITIVE_INFINITY,
    ]) {
      assert.deepEqual(
        written(writer => writer.numberText(value)),
        text(String(value)),
      )
    }
  })
  it('writes moments to the nanosecond', () => {
    fc.assert(
      fc.property(fc.nat({ max: 4_000_000_000 }), fc.nat({ max: 999_999_999 }), (seconds, nanos) => {
        const value = written(writer => writer.time(seconds, nanos)).readBigInt64LE()
        assert.equal(value, BigInt(seconds) * 1_000_000_000n + BigInt(nanos))
      }),
    )
  })
  it('writes unsigned integers up to 2^53, and 0 for what is none', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), value => {
        assert.equal(written(writer => writer.uint64(value)).readBigUInt64LE(), BigInt(value))
      }),
    )
    for (const value of [Number.NaN, -1, Number.POSITIVE_INFINITY]) {
      assert.equal(written(writer => writer.uint64(value)).readBigUInt64LE(), 0n)
    }
  })
  it('takes only those addresses apart that can be put together again', () => {
    const parts = (value: string): [string, number] => {
      const bytes = written(writer => writer.endpoint(value))
      return [bytes.toString('utf8', 1, bytes.length - 2), bytes.readUInt16LE(bytes.length - 2)]
    }
    assert.deepEqual(parts('127.0.0.1:5000'), ['127.0.0.1', 5000])
    assert.deepEqual(parts('::1:65535'), ['::1', 65535])
    for (const whole of ['unix', '', ':', 'a:0', 'a:080', 'a:65536', 'a:123456', '5000', 'a:']) {
      assert.deepEqual(parts(whole), [whole, 0])
    }
    assert.deepEqual(parts(':80'), ['', 80])
  })
  it('mends a count that turns out to need more than one byte', () => {
    for (const count of [0, 127, 128, 300, 20_000]) {
      const bytes = written(writer => {
        writer.uint8(7)
        const at = writer.count()
        writer.uint32(0x01020304)
        writer.setCount(at, count)
        writer.uint8(9)
      })
      assert.deepEqual([...bytes], [7, ...varint(count), 4, 3, 2, 1, 9])
    }
  })
})

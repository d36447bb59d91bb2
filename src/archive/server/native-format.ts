/** is_overflows = 0, bucket_num = -1. */
const BLOCK_INFO = Buffer.from([1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0])
const WIDTH = new Map([
  ['UInt8', 1],
  ['Int8', 1],
  ['Bool', 1],
  ['UInt16', 2],
  ['Int16', 2],
  ['UInt32', 4],
  ['Int32', 4],
  ['UInt64', 8],
  ['Int64', 8],
  ['Float64', 8],
  ['DateTime', 4],
])

/**
 * The engine writes the Native format of protocol revision 0. clickhouse-go (in the OpenTelemetry collector's exporter)
 * asks for revision 54454 or later: a block info in front of each block and one more byte a column
 * (has_custom_serialization). Translates String and fixed-width columns, enough for its greeting and for DESCRIBE;
 * throws on others.
 */
export function toNativeRevision(input: Uint8Array): Buffer {
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength)
  const out: Buffer[] = []
  let position = 0
  const varint = (): number => {
    let value = 0
    let scale = 1
    for (;;) {
      const byte = bytes[position++]!
      value += (byte & 127) * scale
      if (byte < 128) return value
      scale *= 128
    }
  }
  const text = (): string => {
    const length = varint()
    position += length
    return bytes.toString('utf8', position - length, position)
  }
  while (position < bytes.length) {
    const start = position
    const columns = varint()
    const rows = varint()
    out.push(BLOCK_INFO, bytes.subarray(start, position))
    for (let column = 0; column < columns; column++) {
      const head = position
      text()
      const type = text()
      out.push(bytes.subarray(head, position), Buffer.from([0]))
      const data = position
      const width = WIDTH.get(type)
      if (width !== undefined) position += width * rows
      else if (type === 'String') for (let row = 0; row < rows; row++) text()
      else throw new Error(`a column of type ${type} cannot be translated for this client`)
      out.push(bytes.subarray(data, position))
    }
  }
  return Buffer.concat(out)
}

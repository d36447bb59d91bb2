/** Bytes of AMQP 0-9-1, written from the specification and not from the parser. */
type Part = Uint8Array | readonly number[] | string

export const join = (...parts: Part[]): Buffer => Buffer.concat(parts.map(part => Buffer.from(part as Uint8Array)))
export const int = (value: number, size: number): number[] =>
  Array.from({ length: size }, (_, k) => Math.floor(value / 256 ** (size - 1 - k)) % 256)
export const short = (value: string): Buffer => join([Buffer.byteLength(value)], value)
export const long = (value: string): Buffer => join(int(Buffer.byteLength(value), 4), value)
export const frame = (type: number, channel: number, ...parts: Part[]): Buffer => {
  const payload = join(...parts)
  return join([type], int(channel, 2), int(payload.length, 4), payload, [0xce])
}
export const method = (channel: number, classId: number, methodId: number, ...parts: Part[]): Buffer =>
  frame(1, channel, int(classId, 2), int(methodId, 2), ...parts)

export const table = (entries: Readonly<Record<string, string | number>>): Buffer => {
  const body = join(
    ...Object.entries(entries).map(([key, value]) =>
      typeof value === 'string' ? join(short(key), 'S', long(value)) : join(short(key), 'I', int(value, 4)),
    ),
  )
  return join(int(body.length, 4), body)
}

export interface Properties {
  readonly contentType?: string
  readonly headers?: Readonly<Record<string, string | number>>
  readonly deliveryMode?: number
  readonly correlationId?: string
  readonly replyTo?: string
  readonly messageId?: string
  readonly timestamp?: number
}

export const header = (channel: number, size: number, properties: Properties = {}): Buffer => {
  const { contentType, headers, deliveryMode, correlationId, replyTo, messageId, timestamp } = properties
  const values: [number, Part | undefined][] = [
    [15, contentType === undefined ? undefined : short(contentType)],
    [13, headers === undefined ? undefined : table(headers)],
    [12, deliveryMode === undefined ? undefined : [deliveryMode]],
    [10, correlationId === undefined ? undefined : short(correlationId)],
    [9, replyTo === undefined ? undefined : short(replyTo)],
    [7, messageId === undefined ? undefined : short(messageId)],
    [6, timestamp === undefined ? undefined : int(timestamp, 8)],
  ]
  const present = values.filter((value): value is [number, Part] => value[1] !== undefined)
  const flags = present.reduce((sum, [bit]) => sum + 2 ** bit, 0)
  return frame(2, channel, int(60, 2), int(0, 2), int(size, 8), int(flags, 2), ...present.map(([, part]) => part))
}

export const body = (channel: number, content: Part): Buffer => frame(3, channel, content)
export const heartbeat = frame(8, 0)
export const protocolHeader = join('AMQP', [0, 0, 9, 1])

export const publishMethod = (channel: number, exchange: string, key: string): Buffer =>
  method(channel, 60, 40, int(0, 2), short(exchange), short(key), [0])
export const deliverMethod = (channel: number, consumer: string, tag: number, exchange: string, key: string): Buffer =>
  method(channel, 60, 60, short(consumer), int(tag, 8), [0], short(exchange), short(key))

/** A whole message behind its method; the body in frames of at most `most` bytes. */
export const content = (channel: number, text: string, properties: Properties = {}, most = 131_064): Buffer => {
  const bytes = Buffer.from(text)
  const frames: Buffer[] = []
  for (let i = 0; i < bytes.length; i += most) frames.push(body(channel, bytes.subarray(i, i + most)))
  return join(header(channel, bytes.length, properties), ...frames)
}

export const ack = (channel: number, tag: number, multiple = false): Buffer =>
  method(channel, 60, 80, int(tag, 8), [multiple ? 1 : 0])
export const nack = (channel: number, tag: number, multiple: boolean, requeue: boolean): Buffer =>
  method(channel, 60, 120, int(tag, 8), [(multiple ? 1 : 0) | (requeue ? 2 : 0)])
export const reject = (channel: number, tag: number): Buffer => method(channel, 60, 90, int(tag, 8), [0])
export const consume = (channel: number, queue: string, tag: string, noAck = false): Buffer =>
  method(channel, 60, 20, int(0, 2), short(queue), short(tag), [noAck ? 2 : 0], table({}))
export const consumeOk = (channel: number, tag: string): Buffer => method(channel, 60, 21, short(tag))
export const declare = (channel: number, queue: string): Buffer =>
  method(channel, 50, 10, int(0, 2), short(queue), [2], table({}))
export const declareOk = (channel: number, queue: string): Buffer =>
  method(channel, 50, 11, short(queue), int(0, 4), int(0, 4))

const utf8Slice = (Buffer.prototype as unknown as { utf8Slice(this: Uint8Array, start: number, end: number): string })
  .utf8Slice

/** The bytes [start, end) as text, without a view in between; what is not UTF-8 becomes U+FFFD. */
export function utf8(bytes: Uint8Array, start: number, end: number): string {
  return start < end ? utf8Slice.call(bytes, start, end) : ''
}

/**
 * Lengths in bits of the codes of RFC 7541, appendix B, by symbol; the last one is EOS. The code is canonical: codes of
 * one length follow each other in the order of their symbols.
 */
const LENGTHS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28,
  28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6,
  5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23,
  22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22,
  23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26,
  20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27,
  27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27,
  27, 27, 27, 26, 30,
]

const EOS = 256
const INVALID = 0xffff
/** Bits of a step: the state that follows, and the symbol that is complete. */
const NEXT_BITS = 9
const NEXT = (1 << NEXT_BITS) - 1
const EMITS = 1 << (NEXT_BITS + 8)

const { steps, accepts } = buildSteps()

/**
 * Decodes bytes[start, end) into `into`, which must hold at least `(end - start) * 8 / 5` bytes. Returns the number of
 * bytes written, or -1 if the padding is not the beginning of EOS, or EOS itself is there (RFC 7541, 5.2).
 */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number, into: Uint8Array): number {
  let state = 0
  let written = 0
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!
    const high = steps[(state << 4) | (byte >> 4)]!
    if (high === INVALID) return -1
    if ((high & EMITS) !== 0) into[written++] = high >> NEXT_BITS
    const low = steps[((high & NEXT) << 4) | (byte & 15)]!
    if (low === INVALID) return -1
    if ((low & EMITS) !== 0) into[written++] = low >> NEXT_BITS
    state = low & NEXT
  }
  return accepts[state] === 1 ? written : -1
}

/** The code's tree as steps of four bits: from each inner node with each half of a byte to the next inner node. */
function buildSteps(): { steps: Uint32Array; accepts: Uint8Array } {
  const children = buildTree()
  const steps = new Uint32Array((children.length / 2) * 16)
  for (let node = 0; node < children.length / 2; node++) {
    for (let half = 0; half < 16; half++) steps[(node << 4) | half] = walk(children, node, half)
  }
  const accepts = new Uint8Array(children.length / 2)
  // Padding is at most seven ones.
  for (let node = 0, ones = 0; ones < 8; ones++) {
    accepts[node] = 1
    node = children[node * 2 + 1]!
  }
  return { steps, accepts }
}

function walk(children: readonly number[], from: number, half: number): number {
  let node = from
  let emitted = 0
  for (let bit = 3; bit >= 0; bit--) {
    const child = children[node * 2 + ((half >> bit) & 1)]!
    if (child >= 0) {
      node = child
      continue
    }
    if (~child === EOS) return INVALID
    emitted = EMITS | (~child << NEXT_BITS)
    node = 0
  }
  return emitted | node
}

/** Two entries a node: the inner node behind 0 and 1, or the complement of the symbol there. */
function buildTree(): number[] {
  const symbols = LENGTHS.map((_, symbol) => symbol).sort((a, b) => LENGTHS[a]! - LENGTHS[b]! || a - b)
  const children = [0, 0]
  let code = 0
  let length = LENGTHS[symbols[0]!]!
  for (const symbol of symbols) {
    code *= 2 ** (LENGTHS[symbol]! - length)
    length = LENGTHS[symbol]!
    let node = 0
    for (let bit = length - 1; bit > 0; bit--) {
      const at = node * 2 + ((code >> bit) & 1)
      if (children[at] === 0) {
        children[at] = children.length / 2
        children.push(0, 0)
      }
      node = children[at]!
    }
    children[node * 2 + (code & 1)] = ~symbol
    code++
  }
  return children
}

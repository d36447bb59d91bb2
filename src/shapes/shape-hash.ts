/** 128 bits in four words. */
export type ShapeHash = readonly [number, number, number, number]

/** The text that an operation is hashed by. */
export const textOf = (service: string, kind: string, name: string, status: string, protocol: string): string =>
  `${service}\u0000${kind}\u0000${name}\u0000${status}\u0000${protocol}`

/** Mixes the hash of a child into its parent's, in place: order matters (Murmur's mixing, four lanes). */
export function combine(into: [number, number, number, number], child: ShapeHash): void {
  for (let i = 0; i < 4; i++) {
    const mixed = Math.imul(into[i]! ^ Math.imul(child[i]! ^ child[(i + 1) & 3]!, 0xcc9e2d51), 0x85ebca6b)
    into[i] = (Math.imul(mixed ^ (mixed >>> 13) ^ into[(i + 3) & 3]!, 0xc2b2ae35) + i + 1) >>> 0
  }
}

/** 32 hex digits. */
export const shapeHex = (hash: ShapeHash): string =>
  hash.map(each => (each >>> 0).toString(16).padStart(8, '0')).join('')

export const AF_INET = 2

/** Dotted decimal of the four bytes at `at`. */
export function ipv4Text(bytes: Uint8Array, at: number): string {
  return `${bytes[at]!}.${bytes[at + 1]!}.${bytes[at + 2]!}.${bytes[at + 3]!}`
}

/** RFC 5952 text of 16 bytes; IPv4-mapped addresses as IPv4, so that both ends of a connection name themselves alike. */
export function ipv6Text(bytes: Uint8Array, at: number): string {
  const groups: number[] = []
  for (let i = at; i < at + 16; i += 2) groups.push((bytes[i]! << 8) | bytes[i + 1]!)
  if (groups.slice(0, 5).every(group => group === 0) && groups[5] === 0xffff) return ipv4Text(bytes, at + 12)
  let bestStart = -1
  let bestLength = 1
  for (let i = 0; i < 8; i++) {
    let length = 0
    while (i + length < 8 && groups[i + length] === 0) length++
    if (length > bestLength) {
      bestStart = i
      bestLength = length
    }
  }
  const hex = (part: number[]): string => part.map(group => group.toString(16)).join(':')
  if (bestStart < 0) return hex(groups)
  return `${hex(groups.slice(0, bestStart))}::${hex(groups.slice(bestStart + bestLength))}`
}

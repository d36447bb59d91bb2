import { networkInterfaces } from 'node:os'

/** Whether an address is this host's, loopback included. Looked up anew at most once in a while, for addresses change. */
export function createOwnAddresses(now: () => number = () => performance.now()): (address: string) => boolean {
  let addresses = new Set<string>()
  let due = 0
  return address => {
    if (now() >= due) {
      due = now() + LASTS_MILLIS
      addresses = new Set(Object.values(networkInterfaces()).flatMap(list => (list ?? []).map(each => each.address)))
    }
    const plain = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address
    return plain.startsWith('127.') || plain === '::1' || addresses.has(plain)
  }
}

const LASTS_MILLIS = 30_000

import { createPlaceholderTexts } from '../placeholders.js'

/**
 * How a command is answered and what follows its line.
 * retrieve: VALUE blocks, then END. store: a data block follows the line; one line answers. line: one line answers,
 * or several of which the last is END. meta: one line, perhaps with a data block; metaStore: a data block follows.
 * none: no answer. watch: the connection becomes a log.
 */
export type CommandKind = 'retrieve' | 'store' | 'line' | 'meta' | 'metaStore' | 'none' | 'watch'

export interface Command {
  readonly name: string
  readonly kind: CommandKind
  /** Place of the (first) key among the words of the line, the command's own being 0; 0: there is none. */
  readonly keyAt: number
  /** Place of the length of the data block; 0: there is none. */
  readonly lengthAt: number
  /** May end in `noreply`. */
  readonly mayBeSilent: boolean
  readonly housekeeping: boolean
  /** `name ? ?`, by the number of arguments. */
  readonly text: (argumentCount: number) => string
}

const byHash = new Map<number, Command>()

function register(
  names: string,
  kind: CommandKind,
  facts: Partial<Omit<Command, 'name' | 'kind' | 'text'>> = {},
): void {
  for (const name of names.split(' ')) {
    const bytes = new TextEncoder().encode(name)
    byHash.set(wordHash(bytes, 0, bytes.length), {
      name,
      kind,
      keyAt: 0,
      lengthAt: 0,
      mayBeSilent: false,
      housekeeping: false,
      ...facts,
      text: createPlaceholderTexts(name),
    })
  }
}

// doc/protocol.txt of memcached 1.6.
register('get gets', 'retrieve', { keyAt: 1 })
register('gat gats', 'retrieve', { keyAt: 2 })
register('set add replace append prepend cas', 'store', { keyAt: 1, lengthAt: 4, mayBeSilent: true })
register('delete incr decr touch', 'line', { keyAt: 1, mayBeSilent: true })
register('flush_all cache_memlimit', 'line', { mayBeSilent: true })
register('stats slabs lru lru_crawler extstore refresh_certs misbehave', 'line')
register('version', 'line', { housekeeping: true })
register('verbosity', 'line', { housekeeping: true, mayBeSilent: true })
register('mg md ma me', 'meta', { keyAt: 1 })
register('ms', 'metaStore', { keyAt: 1, lengthAt: 2 })
register('mn', 'meta', { housekeeping: true })
register('quit shutdown', 'none', { housekeeping: true })
register('watch', 'watch', { housekeeping: true })

export const commandNames: readonly string[] = [...byHash.values()].map(({ name }) => name)

export const LONGEST_WORD = 16

export function wordHash(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
  return hash
}

export function sameWord(word: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (word.length !== end - start) return false
  for (let i = 0; i < word.length; i++) if (word.charCodeAt(i) !== bytes[start + i]) return false
  return true
}

/** The command named by bytes[start, end); as in the server, case matters. */
export function commandNamed(bytes: Uint8Array, start: number, end: number): Command | undefined {
  if (end - start > LONGEST_WORD || end === start) return undefined
  const command = byHash.get(wordHash(bytes, start, end))
  return command !== undefined && sameWord(command.name, bytes, start, end) ? command : undefined
}

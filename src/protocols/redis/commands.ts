import { OTHER } from '../attribute-names.js'
import { createPlaceholderTexts } from '../placeholders.js'

/** What a command does to the connection, beyond being answered. */
export type CommandEffect = 'none' | 'select' | 'client' | 'subscribe' | 'monitor' | 'replicate' | 'reset'

export interface Command {
  /** Upper case, as in the server's documentation. */
  readonly name: string
  /** Place of the first key among the arguments (1: the first argument); 0: none that can be told. */
  readonly keyAt: number
  /** Place of the argument that says how many keys follow; 0: none. */
  readonly keyCountAt: number
  /** Bit n: argument n is to be looked at. */
  readonly looksAt: number
  readonly effect: CommandEffect
  /** Handshakes, heartbeats and settings of the connection: no spans. */
  readonly housekeeping: boolean
  /** True for what the server documents; other names are taken as they come. */
  readonly known: boolean
  /** `NAME ? ?`, by the number of arguments. */
  readonly text: (argumentCount: number) => string
}

// `COMMAND` of Redis 7.0 (first_key_pos, movablekeys), with the commands that 7.4 and 8.0 added.
const KEY_FIRST = `APPEND BITCOUNT BITFIELD BITFIELD_RO BITPOS BLMOVE BLPOP BRPOP BRPOPLPUSH BZPOPMAX BZPOPMIN COPY DECR
DECRBY DEL DUMP EXISTS EXPIRE EXPIREAT EXPIRETIME GEOADD GEODIST GEOHASH GEOPOS GEORADIUS GEORADIUSBYMEMBER
GEORADIUSBYMEMBER_RO GEORADIUS_RO GEOSEARCH GEOSEARCHSTORE GET GETBIT GETDEL GETEX GETRANGE GETSET HDEL HEXISTS HEXPIRE
HEXPIREAT HEXPIRETIME HGET HGETALL HGETDEL HGETEX HINCRBY HINCRBYFLOAT HKEYS HLEN HMGET HMSET HPERSIST HPEXPIRE
HPEXPIREAT HPEXPIRETIME HPTTL HRANDFIELD HSCAN HSET HSETEX HSETNX HSTRLEN HTTL HVALS INCR INCRBY INCRBYFLOAT LCS LINDEX
LINSERT LLEN LMOVE LPOP LPOS LPUSH LPUSHX LRANGE LREM LSET LTRIM MGET MOVE MSET MSETNX PERSIST PEXPIRE PEXPIREAT
PEXPIRETIME PFADD PFCOUNT PFMERGE PSETEX PTTL RENAME RENAMENX RESTORE RESTORE-ASKING RPOP RPOPLPUSH RPUSH RPUSHX SADD
SCARD SDIFF SDIFFSTORE SET SETBIT SETEX SETNX SETRANGE SINTER SINTERSTORE SISMEMBER SMEMBERS SMISMEMBER SMOVE SORT
SORT_RO SPOP SPUBLISH SRANDMEMBER SREM SSCAN STRLEN SUBSTR SUNION SUNIONSTORE TOUCH TTL TYPE UNLINK WATCH XACK XADD
XAUTOCLAIM XCLAIM XDEL XLEN XPENDING XRANGE XREVRANGE XSETID XTRIM ZADD ZCARD ZCOUNT ZDIFFSTORE ZINCRBY ZINTERSTORE
ZLEXCOUNT ZMSCORE ZPOPMAX ZPOPMIN ZRANDMEMBER ZRANGE ZRANGEBYLEX ZRANGEBYSCORE ZRANGESTORE ZRANK ZREM ZREMRANGEBYLEX
ZREMRANGEBYRANK ZREMRANGEBYSCORE ZREVRANGE ZREVRANGEBYLEX ZREVRANGEBYSCORE ZREVRANK ZSCAN ZSCORE ZUNIONSTORE`
const KEY_SECOND = 'BITOP MEMORY OBJECT XGROUP XINFO'
const KEY_THIRD = 'MIGRATE'
const COUNT_THEN_KEY = 'LMPOP SINTERCARD ZDIFF ZINTER ZINTERCARD ZMPOP ZUNION'
const SOMETHING_COUNT_THEN_KEY = 'BLMPOP BZMPOP EVAL EVALSHA EVALSHA_RO EVAL_RO FCALL FCALL_RO'
const NO_KEY = `ACL ASKING BGREWRITEAOF BGSAVE CLUSTER COMMAND CONFIG DBSIZE DEBUG DISCARD ECHO EXEC FAILOVER FLUSHALL
FLUSHDB FUNCTION INFO KEYS LASTSAVE LATENCY LOLWUT MODULE MULTI PFDEBUG PFSELFTEST PUBLISH PUBSUB RANDOMKEY READONLY
READWRITE REPLICAOF ROLE SAVE SCAN SCRIPT SENTINEL SHUTDOWN SLAVEOF SLOWLOG SWAPDB TIME UNWATCH WAIT WAITAOF XREAD
XREADGROUP`
const HOUSEKEEPING = 'AUTH HELLO PING QUIT REPLCONF'
const SUBSCRIBE = 'SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE'

const LONGEST_NAME = 32

function makeCommand(name: string, facts: Partial<Omit<Command, 'name' | 'text'>> = {}): Command {
  const keyAt = facts.keyAt ?? 0
  const keyCountAt = facts.keyCountAt ?? 0
  return {
    name,
    keyAt,
    keyCountAt,
    looksAt: facts.looksAt ?? ((1 << keyAt) | (1 << keyCountAt)) & ~1,
    effect: facts.effect ?? 'none',
    housekeeping: facts.housekeeping ?? false,
    known: facts.known ?? true,
    text: createPlaceholderTexts(name),
  }
}

/** Stands for whatever is no command's name: nothing of what was sent is repeated. */
const NAMELESS = makeCommand(OTHER, { known: false })

const byHash = new Map<number, Command>()

function register(names: string, facts: Partial<Omit<Command, 'name' | 'text'>> = {}): void {
  for (const name of names.split(/\s+/)) {
    const bytes = new TextEncoder().encode(name)
    byHash.set(nameHash(bytes, 0, bytes.length), makeCommand(name, facts))
  }
}

register(KEY_FIRST, { keyAt: 1 })
register(KEY_SECOND, { keyAt: 2 })
register(KEY_THIRD, { keyAt: 3 })
register(COUNT_THEN_KEY, { keyCountAt: 1, keyAt: 2 })
register(SOMETHING_COUNT_THEN_KEY, { keyCountAt: 2, keyAt: 3 })
register(NO_KEY)
register(HOUSEKEEPING, { housekeeping: true })
register(SUBSCRIBE, { effect: 'subscribe' })
register('MONITOR', { effect: 'monitor' })
register('SELECT', { effect: 'select', housekeeping: true, looksAt: 1 << 1 })
register('CLIENT', { effect: 'client', housekeeping: true, looksAt: (1 << 1) | (1 << 2) })
register('RESET', { effect: 'reset', housekeeping: true })
register('SYNC PSYNC', { effect: 'replicate', housekeeping: true })

/** Every documented command, in capitals. */
export const knownCommandNames: readonly string[] = [...byHash.values()].map(({ name }) => name)

/** Letters compare without case, as the server compares them. */
function upper(byte: number): number {
  return byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte
}

function nameHash(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ upper(bytes[i]!), 0x01000193)
  return hash
}

/** The documented command named by bytes[start, end), in any case; undefined for all other bytes. */
export function knownCommand(bytes: Uint8Array, start: number, end: number): Command | undefined {
  const length = end - start
  if (length === 0 || length > LONGEST_NAME) return undefined
  const command = byHash.get(nameHash(bytes, start, end))
  if (command === undefined || command.name.length !== length) return undefined
  for (let i = 0; i < length; i++) {
    if (command.name.charCodeAt(i) !== upper(bytes[start + i]!)) return undefined
  }
  return command
}

/** The command named by an array's first bulk string: known, or of a module (`JSON.GET`) or a newer server. */
export function commandNamed(bytes: Uint8Array, start: number, end: number): Command {
  const known = knownCommand(bytes, start, end)
  if (known !== undefined) return known
  if (end - start > LONGEST_NAME || end === start) return NAMELESS
  for (let i = start; i < end; i++) {
    const byte = upper(bytes[i]!)
    if ((byte < 0x41 || byte > 0x5a) && (i === start || (byte !== 0x2e && byte !== 0x5f && byte !== 0x2d))) {
      return NAMELESS
    }
  }
  let name = ''
  for (let i = start; i < end; i++) name += String.fromCharCode(upper(bytes[i]!))
  return makeCommand(name, { known: false })
}

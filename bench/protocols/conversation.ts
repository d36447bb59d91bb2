import type { Requirement } from '../../test/support/requirements.js'
import type { ReadExchange } from '../score/capture-exchanges.js'
import type { TsharkView } from '../score/tshark-views.js'

/** A real server and its usual client, who talk as much as they are asked to while somebody records them. */
export interface Conversation {
  /** For `--protocol`: 'http', 'mysql'… */
  readonly name: string
  /** As many times the requests of tshark per second of CPU are wanted. */
  readonly goal: number
  /** Bytes allocated for one request, at most, where that is wanted. */
  readonly allocationGoal?: number
  /** False: for the second opinion only, the client is too slow for many requests. */
  readonly isMeasured?: boolean
  /** True: how many requests there are is the client's affair; they are those that tshark finds. */
  readonly countedByTshark?: boolean
  readonly needs: readonly Requirement[]
  /** @param folder of its own, for the server's files */
  start(folder: string): Promise<Talk>
  /** What tshark makes of the protocol; absent where it has no dissector. */
  readonly tshark?: TsharkView
  /** What only tshark or only we find, and why. */
  readonly explained?: readonly Explained[]
  /** What the client is to have seen, as we read it. */
  seen(read: readonly ReadExchange[]): string[]
}

export interface Talk {
  /** What is recorded: all that moves on this port of loopback. */
  readonly port: number
  /** Returns what the client saw, one line a request, in any order. */
  talk(requests: number): Promise<readonly string[]>
  stop(): Promise<void>
}

/** A difference between what tshark finds and what we do. */
export interface Explained {
  readonly foundBy: 'tshark' | 'us'
  readonly what: RegExp
  readonly why: string
}

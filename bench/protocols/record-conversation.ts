import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Conversation } from './conversation.js'
import { recordPackets } from './packet-capture.js'

export interface RecordedConversation {
  readonly port: number
  /** What the client saw. */
  readonly seen: readonly string[]
}

/** Starts the server, lets its client talk, and keeps every packet of theirs in the file. */
export async function recordConversation(
  conversation: Conversation,
  requests: number,
  file: string,
): Promise<RecordedConversation> {
  const folder = await mkdtemp(join(tmpdir(), 'ghostspan-talk-'))
  // Servers that give up their rights look into it.
  await chmod(folder, 0o755)
  try {
    const talk = await conversation.start(folder)
    try {
      const capture = await recordPackets(talk.port, file)
      try {
        return { port: talk.port, seen: await talk.talk(requests) }
      } finally {
        await capture.stop()
      }
    } finally {
      await talk.stop()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

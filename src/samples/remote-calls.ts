import type { ContentKey } from '../protocols/protocol.js'
import type { Carriers } from './carriers.js'
import type { MessageBacklog } from './message-backlog.js'
import type { Sample } from './sample.js'

/**
 * Calls that are made by messages: one message asks, another one answers, and an identifier in both says so. Asking and
 * answering are then what they are anywhere else: writing the answer tells for whom the writer has worked, reading it
 * brings the reader back to what the question was asked for.
 */
export interface RemoteCalls {
  /** All of a message has been read or written by this carrier: its identifiers are known. */
  seen(message: Sample, tid: number, carrier: number): void
  readonly size: number
}

/** Kinds of identifiers that a question and its answer have in common. */
const ANSWER_OF: Readonly<Record<string, string>> = { 'oslo-answer': 'oslo-call', 'amqp-answer': 'amqp-call' }
const QUESTIONS = new Set(Object.values(ANSWER_OF))

export function createRemoteCalls(carriers: Carriers, backlog: MessageBacklog, limit = 10_000): RemoteCalls {
  /** By process, direction and identifier; the oldest are given up. */
  const questions = new Map<string, Sample>()
  const nameOf = ({ process }: Sample, side: Sample['side'], type: string, value: string): string =>
    `${process.pid} ${side} ${type} ${value}`

  const remember = (question: Sample, { type, value }: ContentKey): void => {
    if (questions.size >= limit) questions.delete(questions.keys().next().value!)
    questions.set(nameOf(question, question.side, type, value), question)
  }
  const questionOf = (answer: Sample, { type, value }: ContentKey): Sample | undefined => {
    // What this process was asked it answers; what it asked is answered to it.
    const side = answer.side === 'client' ? 'server' : 'client'
    const found = questions.get(nameOf(answer, side, ANSWER_OF[type]!, value))
    return found !== undefined && found.process.generation === answer.process.generation ? found : undefined
  }
  return {
    seen: (message, tid, carrier) => {
      for (const key of message.exchange.contentKeys) {
        if (QUESTIONS.has(key.type)) remember(message, key)
        if (ANSWER_OF[key.type] === undefined || message.answers !== undefined) continue
        const question = questionOf(message, key)
        if (question === undefined) continue
        message.answers = question
        if (message.side === 'client') {
          carriers.answerBegun(question, tid, carrier)
          carriers.answerDone(question, tid, carrier)
        } else {
          // An answer is nobody's work; whoever reads it goes on with what it was asked for.
          carriers.settled(message, tid, carrier)
          carriers.answerRead(question, tid, carrier)
        }
      }
      // An answer is nobody's work.
      if (message.side === 'server' && message.answers === undefined) backlog.consumed(message)
    },
    get size() {
      return questions.size
    },
  }
}

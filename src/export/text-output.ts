import { writeSync } from 'node:fs'
import type { Writable } from 'node:stream'

/** Where lines of text go: a terminal, a pipe, a file. */
export interface TextOutput {
  /** False: the text did not fit into what may wait, or the reader has gone; it is lost. */
  write(text: string): boolean
  /** What was written has left this process, or never will. */
  flush(): Promise<void>
  /** The reader has gone (EPIPE, a closed file): everything from here on is lost, which is not an error. */
  readonly ended: boolean
}

export interface StreamOutputOptions {
  /** Characters that may wait for a slow reader. Default 16 Mi. */
  readonly limit?: number
  /** Told once when the reader has gone; with a reason unless it just closed its end. */
  readonly onEnd?: (reason: string | undefined) => void
}

/**
 * A reader that closes its end is done with us: `ghostspan replay … | head`. ECONNRESET where standard output is a
 * socket (a child process of Node.js) that was closed with something unread.
 */
export const READER_GONE: ReadonlySet<string | undefined> = new Set([
  'EPIPE',
  'ECONNRESET',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_WRITE_AFTER_END',
])

/** Never waits: for a live source, where waiting would lose events instead of lines. */
export function createStreamOutput(stream: Writable, options: StreamOutputOptions = {}): TextOutput {
  const limit = options.limit ?? 16 * 1024 * 1024
  let ended = false
  const end = (reason: string | undefined): void => {
    if (ended) return
    ended = true
    options.onEnd?.(reason)
  }
  stream.on('error', (error: NodeJS.ErrnoException) => end(READER_GONE.has(error.code) ? undefined : error.message))
  stream.on('close', () => end(undefined))
  return {
    get ended() {
      return ended
    },
    write(text) {
      if (ended || stream.writableLength + text.length > limit) return false
      stream.write(text)
      return true
    },
    flush() {
      if (ended || stream.writableLength === 0) return Promise.resolve()
      return new Promise(resolve => {
        const done = (): void => {
          stream.off('close', done).off('error', done)
          resolve()
        }
        // An empty write is called back after all those before it.
        stream.on('close', done).on('error', done).write('', done)
      })
    },
  }
}

/**
 * Waits for the reader, the whole program with it: for a source that has all the time, such as a recording, of which
 * no line may be lost.
 *
 * @param descriptor an open file descriptor; 1 is standard output
 */
export function createBlockingOutput(descriptor: number, options: Pick<StreamOutputOptions, 'onEnd'> = {}): TextOutput {
  let ended = false
  const sleeper = new Int32Array(new SharedArrayBuffer(4))
  const writeAll = (bytes: Buffer): boolean => {
    for (let at = 0; at < bytes.length; ) {
      try {
        at += writeSync(descriptor, bytes, at)
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException
        if (code === 'EAGAIN') {
          // A pipe that somebody made non-blocking and that is full.
          Atomics.wait(sleeper, 0, 0, 2)
          continue
        }
        ended = true
        options.onEnd?.(READER_GONE.has(code) ? undefined : message)
        return false
      }
    }
    return true
  }
  return {
    get ended() {
      return ended
    },
    write: text => !ended && writeAll(Buffer.from(text)),
    flush: () => Promise.resolve(),
  }
}

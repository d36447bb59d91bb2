import type { TcpOptions } from './http-front.js'

/** From the parent to the child that holds the engine. Sent over IPC: a password must not be on a command line. */
export type ToChild =
  | {
      readonly kind: 'start'
      /** The engine's own directory. */
      readonly engineDirectory: string
      readonly payloadDirectory: string
      readonly configFile: string
      readonly socketPath: string
      readonly tcp: TcpOptions | undefined
    }
  | { readonly kind: 'stop'; readonly graceMillis: number }

export type FromChild =
  | { readonly kind: 'ready'; readonly port: number | undefined }
  | {
      readonly kind: 'failed'
      readonly reason: 'missing' | 'locked' | 'failed'
      readonly message: string
      readonly holder: number | undefined
    }

// The process that alone opens the embedded engine and serves ClickHouse's HTTP interface; forked by
// embedded-server.ts, told what to do over IPC, gone when its parent is gone.
import { mkdirSync, writeFileSync } from 'node:fs'
import { EngineOpenError, openEngine } from './engine.js'
import { engineConfig } from './engine-config.js'
import { type Front, startFront } from './http-front.js'
import type { FromChild, ToChild } from './messages.js'

/** After this long an orderly end is given up: a killed engine loses nothing that it has acknowledged. */
const END_MILLIS = 8000

let front: Front | undefined
let ending = false

function tell(message: FromChild): void {
  if (process.connected) process.send?.(message)
}

async function start(message: Extract<ToChild, { kind: 'start' }>): Promise<void> {
  try {
    mkdirSync(message.engineDirectory, { recursive: true, mode: 0o700 })
    writeFileSync(message.configFile, engineConfig(), { mode: 0o600 })
    const engine = await openEngine({ directory: message.engineDirectory, configFile: message.configFile })
    front = await startFront({
      engine,
      payloadDirectory: message.payloadDirectory,
      socketPath: message.socketPath,
      ...(message.tcp === undefined ? {} : { tcp: message.tcp }),
    })
    tell({ kind: 'ready', port: front.port })
  } catch (error) {
    const known = error instanceof EngineOpenError ? error : undefined
    const text = error instanceof Error ? error.message : String(error)
    tell({ kind: 'failed', reason: known?.reason ?? 'failed', message: text, holder: known?.holder })
    end(0)
  }
}

function end(graceMillis: number): void {
  if (ending) return
  ending = true
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), graceMillis + END_MILLIS).unref()
  const closed = front === undefined ? Promise.resolve() : front.close(graceMillis)
  closed.catch(() => {}).then(() => process.exit(0))
}

process.on('message', (message: ToChild) => {
  if (message.kind === 'start') void start(message)
  else end(message.graceMillis)
})
process.on('disconnect', () => end(2000))
// Ctrl-C and systemd signal the whole group; the parent still has batches to hand over and ends this process itself.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})

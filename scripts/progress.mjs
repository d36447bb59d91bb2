// Steps of the set-up: each says that it begins, that it still goes on, and how long it took. On standard error.
import { spawn } from 'node:child_process'

const HEARTBEAT_MILLIS = 10_000
const KEPT_LINES = 40

const seconds = since => `${((performance.now() - since) / 1000).toFixed(1)} s`

export function say(text) {
  process.stderr.write(`${text}\n`)
}

/** A command that failed, with the end of what it printed. */
export class StepError extends Error {}

/**
 * Runs a command as a step. What it prints is shown only when it fails, but for a sign of life every ten seconds.
 * @param {string} title what a reader is told
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, show?: boolean }} [options] show: let its output through
 * @returns {Promise<void>}
 */
export function runStep(title, command, args, options = {}) {
  const since = performance.now()
  const lines = []
  say(`set-up: ${title} …`)
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: options.show ? ['ignore', process.stderr, 'inherit'] : ['ignore', 'pipe', 'pipe'],
    })
    let rest = ''
    const keep = data => {
      const parts = (rest + data).split(/[\r\n]+/)
      rest = parts.pop()
      lines.push(...parts.filter(line => line.trim() !== ''))
      lines.splice(0, Math.max(0, lines.length - KEPT_LINES))
    }
    child.stdout?.on('data', keep)
    child.stderr?.on('data', keep)
    const heartbeat = setInterval(() => {
      say(`set-up: ${title} … ${seconds(since)}${lines.length > 0 ? `: ${lines.at(-1).slice(0, 100)}` : ''}`)
    }, HEARTBEAT_MILLIS)
    child.once('error', problem => {
      clearInterval(heartbeat)
      reject(new StepError(`${title}: cannot run ${command}: ${problem.message}`))
    })
    child.once('close', (code, signal) => {
      clearInterval(heartbeat)
      if (code === 0) {
        say(`set-up: ${title}: done (${seconds(since)})`)
        resolve()
      } else {
        const how = signal === null ? `exit code ${code}` : `signal ${signal}`
        const told = [`${title}: failed with ${how}: ${command} ${args.join(' ')}`, ...lines, rest]
        reject(new StepError(told.join('\n').trimEnd()))
      }
    })
  })
}

import type { ProcessInfo } from '../capture/process-info.js'
import type { ObservedProcess } from '../capture/processes.js'
import { matchExecutable } from '../capture/selection.js'
import type { ServiceRule } from '../pipeline.js'
import { openstackName, openstackUnit, withoutWsgi } from './openstack-names.js'

/**
 * Names of observed services: the operator's rules first, then the systemd unit, then what the command line says the
 * program is (for an interpreter: the script, module or application it runs), then the executable.
 */
export interface ServiceNames {
  /** @param port the port on which the process was reached, 0 if it was the caller. */
  nameOf(process: ObservedProcess, port: number): string
}

const INTERPRETER = /^(python[\d.]*|pypy[\d.]*|node|nodejs|ruby[\d.]*|perl[\d.]*|php[\d.]*|bash|sh|dash)$/
/** Launchers whose argument names the application: `gunicorn web:app`, `uvicorn web:app`, `celery -A web`. */
const APPLICATION_SERVERS = new Set(['gunicorn', 'uvicorn', 'hypercorn', 'daphne', 'waitress-serve', 'celery'])
/** Names that say how something runs, not what. */
const GENERIC = /^(uwsgi.*|app|wsgi|application|apache2|httpd|gunicorn|python[\d.]*)$/
const KNOWN: Readonly<Record<string, string>> = {
  'beam.smp': 'rabbitmq',
  mariadbd: 'mariadb',
  mysqld: 'mysql',
  'redis-server': 'redis',
}

export function createServiceNames(rules: readonly ServiceRule[] = []): ServiceNames {
  const compiled = rules.map(rule => ({
    rule,
    executable: rule.executable === undefined ? undefined : matchExecutable(rule.executable),
    commandLine: rule.commandLine === undefined ? undefined : new RegExp(rule.commandLine),
  }))
  const discovered = new WeakMap<ProcessInfo, string>()
  return {
    nameOf: (process, port) => {
      const { info } = process
      if (info === undefined) return process.comm === '' ? `pid-${process.pid}` : process.comm
      for (const { rule, executable, commandLine } of compiled) {
        if (executable !== undefined && !executable(info)) continue
        if (commandLine !== undefined && !commandLine.test(info.commandLine.join(' '))) continue
        if (rule.port !== undefined && rule.port !== port && !info.listens.includes(rule.port)) continue
        return rule.name
      }
      let name = discovered.get(info)
      if (name === undefined) {
        name = discoverName(info)
        discovered.set(info, name)
      }
      return name
    },
  }
}

function discoverName(info: ProcessInfo): string {
  const unit = info.unit?.replace(/\.service$/, '')
  if (unit !== undefined && unit !== '' && !/^(user@|session-|init|cron|ssh)/.test(unit))
    return openstackUnit(unit).replace(/@.*$/, '')
  const executable = baseName(info.exe)
  const program = programOf(executable, info)
  if (GENERIC.test(program)) return openstackName(info) ?? program
  return KNOWN[program] ?? (program === '' ? info.comm : program)
}

function programOf(executable: string, info: ProcessInfo): string {
  const words = info.commandLine
  if (executable.startsWith('uwsgi')) return uwsgiName(words) ?? 'uwsgi'
  if (executable === 'java') return javaName(words) ?? 'java'
  if (!INTERPRETER.test(executable)) return executable
  return scriptName(words) ?? executable
}

/** Name of the program as its user calls it: of an interpreter, of the script or module that it runs. */
export function programName(info: ProcessInfo): string {
  const executable = baseName(info.exe)
  const script = INTERPRETER.test(executable) ? scriptPlace(info.commandLine) : undefined
  if (script !== undefined) return withoutExtension(info.commandLine[script]!)
  return executable === '' ? info.comm : executable
}

/** What the program was given: of an interpreter, what follows the script or module. */
export function argumentsOf(info: ProcessInfo): readonly string[] {
  const words = info.commandLine
  if (!INTERPRETER.test(baseName(info.exe))) return words.slice(1)
  const script = scriptPlace(words)
  return script === undefined ? [] : words.slice(script + 1)
}

/** The script, module or application that an interpreter runs. */
function scriptName(words: readonly string[]): string | undefined {
  const place = scriptPlace(words)
  if (place === undefined) return undefined
  const name = withoutExtension(words[place]!)
  if (!APPLICATION_SERVERS.has(name)) return name
  return applicationName(words.slice(place + 1)) ?? name
}

/** Where a script or module stands among an interpreter's words. */
function scriptPlace(words: readonly string[]): number | undefined {
  let i = 1
  for (; i < words.length; i++) {
    const word = words[i]!
    if (word === '-m' && words[i + 1] !== undefined) {
      i++
      break
    }
    if (word === '-c' || word === '-e') return undefined
    if (/^-[XW]$/.test(word) || word === '-r' || word === '--import' || word === '--require') i++
    else if (!word.startsWith('-')) break
  }
  return i < words.length ? i : undefined
}

/** `--name X` or `-n X`, else the module of `module:application` or of `-A module`. */
function applicationName(args: readonly string[]): string | undefined {
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!
    if ((arg === '--name' || arg === '-n') && args[i + 1] !== undefined) return args[i + 1]
    if (arg.startsWith('--name=')) return arg.slice('--name='.length)
  }
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!
    if ((arg === '-A' || arg === '--app') && args[i + 1] !== undefined) return args[i + 1]!.split(/[.:]/)[0]
    const match = /^([A-Za-z_][\w.]*):[\w.()]+$/.exec(arg)
    if (match !== null && args[i - 1]?.startsWith('-b') !== true && args[i - 1] !== '--bind')
      return match[1]!.split('.').at(-1)
  }
  return undefined
}

function uwsgiName(words: readonly string[]): string | undefined {
  for (let i = 1; i < words.length; i++) {
    const match = /^--(ini|wsgi-file|module|name)(?:=(.*))?$/.exec(words[i]!)
    const value = match?.[2] ?? (match === null ? undefined : words[i + 1])
    if (value !== undefined) return withoutWsgi(baseName(value).replace(/(-uwsgi)?\.(ini|py|wsgi)$/, ''))
  }
  return undefined
}

function javaName(words: readonly string[]): string | undefined {
  for (let i = 1; i < words.length; i++) {
    const word = words[i]!
    if (word === '-jar') return words[i + 1] === undefined ? undefined : baseName(words[i + 1]!).replace(/\.jar$/, '')
    if (word === '-cp' || word === '-classpath' || word === '--module-path') i++
    else if (!word.startsWith('-')) return word.split('.').at(-1)
  }
  return undefined
}

function withoutExtension(script: string): string {
  return baseName(script).replace(/\.(py|[cm]?[jt]s|rb|pl|php|sh)$/, '')
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/ \(deleted\)$/, '')
}

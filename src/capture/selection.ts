import { readFileSync } from 'node:fs'
import type { ProcessInfo } from './process-info.js'

/** Names processes; everything that is given must match. */
export interface SelectionRule {
  /** Glob on the executable's path: `*` within a folder, `**` across, `?` one character. No `/`: the file's name alone. */
  readonly executable?: string
  /** Regular expression on the command line, arguments joined by spaces. */
  readonly commandLine?: string
  /** A TCP port it listens on. */
  readonly port?: number
  /** Name or number. */
  readonly user?: string | number
  /** Beginning of the cgroup's path. */
  readonly cgroup?: string
}

export interface OrderedSelectionRule extends SelectionRule {
  readonly action: 'include' | 'exclude'
}

/** No rule at all: every process is traced. `exclude` wins over `include`. */
export interface Selection {
  readonly include?: readonly SelectionRule[]
  readonly exclude?: readonly SelectionRule[]
  /** Looked at after `exclude` and `include`: the first of these that matches decides, else `otherwise`. */
  readonly rules?: readonly OrderedSelectionRule[]
  /** Default: include, unless there is an `include`. */
  readonly otherwise?: 'include' | 'exclude'
}

export interface Selector {
  /** What a process is that nobody has looked at yet. */
  readonly byDefault: boolean
  /** False: no rule exists, nobody needs looking at. */
  readonly hasRules: boolean
  selects(info: ProcessInfo): boolean
}

type Matcher = (info: ProcessInfo) => boolean

export interface SelectorOptions {
  readonly selection: Selection
  readonly passwdFile?: string
}

/** Throws when a rule cannot be understood: it says which. */
export function createSelector(options: SelectorOptions): Selector {
  const compile = (rule: SelectionRule) => compileRule(rule, options.passwdFile ?? '/etc/passwd')
  const { selection } = options
  const include = (selection.include ?? []).map(compile)
  const exclude = (selection.exclude ?? []).map(compile)
  const rules = (selection.rules ?? []).map(rule => ({ includes: rule.action === 'include', matches: compile(rule) }))
  const byDefault = (selection.otherwise ?? (include.length === 0 ? 'include' : 'exclude')) === 'include'
  return {
    byDefault,
    hasRules: include.length + exclude.length + rules.length > 0 || !byDefault,
    selects: info => {
      if (exclude.some(matches => matches(info))) return false
      if (include.some(matches => matches(info))) return true
      return rules.find(({ matches }) => matches(info))?.includes ?? byDefault
    },
  }
}

function compileRule(rule: SelectionRule, passwdFile: string): Matcher {
  const parts: Matcher[] = []
  if (rule.executable !== undefined) parts.push(matchExecutable(rule.executable))
  if (rule.commandLine !== undefined) parts.push(matchCommandLine(rule.commandLine))
  if (rule.port !== undefined) {
    const port = rule.port
    parts.push(info => info.listens.includes(port))
  }
  if (rule.user !== undefined) {
    const user = resolveUser(rule.user, passwdFile)
    parts.push(info => info.user === user)
  }
  if (rule.cgroup !== undefined) {
    const cgroup = rule.cgroup
    parts.push(info => info.cgroup.startsWith(cgroup))
  }
  if (parts.length === 0)
    throw new Error('a selection rule names nothing: give executable, commandLine, port, user or cgroup')
  return info => parts.every(part => part(info))
}

/** A glob for the executable's whole path, or for its name where it has no slash; the one meaning that globs have in settings. */
export function matchExecutable(glob: string): Matcher {
  const pattern = globPattern(glob)
  return glob.includes('/')
    ? info => pattern.test(info.exe)
    : info => pattern.test(info.exe.slice(info.exe.lastIndexOf('/') + 1))
}

export function globPattern(glob: string): RegExp {
  const source = glob.replace(/\*\*|[*?]|[^*?]+/g, part => {
    if (part === '**') return '.*'
    if (part === '*') return '[^/]*'
    if (part === '?') return '[^/]'
    return part.replace(/[\\^$.|+()[\]{}]/g, '\\$&')
  })
  return new RegExp(`^${source}$`, 's')
}

function matchCommandLine(expression: string): Matcher {
  let pattern: RegExp
  try {
    pattern = new RegExp(expression)
  } catch (error) {
    throw new Error(`selection rule: commandLine is not a regular expression: ${expression}`, { cause: error })
  }
  return info => pattern.test(info.commandLine.join(' '))
}

function resolveUser(user: string | number, passwdFile: string): number {
  if (typeof user === 'number' || /^\d+$/.test(user)) return Number(user)
  for (const line of readFileSync(passwdFile, 'utf8').split('\n')) {
    const fields = line.split(':')
    if (fields[0] === user) return Number(fields[2])
  }
  throw new Error(`selection rule: there is no user ${user} in ${passwdFile}`)
}

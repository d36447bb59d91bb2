import type { ProcessCarriers, ProcessInfo } from '../capture/process-info.js'
import { classifySegment } from '../protocols/path-segments.js'

/** Names of options, settings and headers whose values grant access or say who somebody is. */
const SECRET_NAME =
  /pass(word|wd|phrase)?|pwd|secret|token|credential|cred|auth|api-?_?key|access-?_?key|private-?_?key|cookie|session|signature|bearer|user(name)?$|login/i
/** Programs whose arguments are what they send: keys, values, statements, headers, bodies. */
const CLIENTS =
  /^(curl|wget|https?|xh|redis-cli|valkey-cli|mysql|mariadb|mysqldump|mariadb-dump|mysqladmin|psql|pg_dump|mongo|mongosh|ldapsearch|ldapmodify|sshpass|smbclient|openssl|openstack|rabbitmqctl|rabbitmqadmin|kubectl|aws|gcloud|az|vault|htpasswd|echo|printf|grep)$/
const INTERPRETERS =
  /^(python[\d.]*|pypy[\d.]*|node|nodejs|ruby[\d.]*|perl[\d.]*|php[\d.]*|lua[\d.]*|bash|sh|dash|zsh|ksh|busybox|su|xargs|watch|timeout)$/
/** Options of interpreters that are followed by a program's text. */
const TEXT_OPTION = /^(-[a-z]*[ce]|--eval|--print|-p|-E|-r|--command|--execute)$/
const URL = /^([a-z][a-z0-9+.-]*:\/\/)([^/?#\s]*@)?([^?#\s]*)([?#].*)?$/i
const LONG_OPTION = /^(--?[A-Za-z][\w.-]*)(=)(.*)$/s
const SETTING = /^([A-Za-z_][\w.:-]*)(=)(.*)$/s
/** A short option with its value: `-psecret`, `-Hheader`. */
const ATTACHED = /^(-[A-Za-z])(.+)$/s
/** From here on, letters of both cases with digits through them are hardly a word. */
const FEWEST_RANDOM = 16

/**
 * A process without what its command line may give away. What a service is named after (its program, script or module)
 * stays. Nothing gets longer.
 */
export function maskProcess(info: ProcessInfo): ProcessInfo {
  return {
    pid: info.pid,
    parent: info.parent,
    startNs: info.startNs,
    comm: info.comm,
    exe: info.exe,
    commandLine: maskCommandLine(info.commandLine),
    user: info.user,
    cgroup: info.cgroup,
    listens: info.listens,
    ...(info.unit === undefined ? {} : { unit: info.unit }),
    ...(info.container === undefined ? {} : { container: info.container }),
    ...(typeof info.carriers !== 'object' || info.carriers === null ? {} : { carriers: maskCarriers(info.carriers) }),
  }
}

const CARRIER_KINDS = ['greenlet', 'asyncio', 'uvloop', 'go', 'node']

/** Without them a replay would take threads for carriers. The reason is for people, and may hold a path. */
function maskCarriers({ kinds, state }: ProcessCarriers): ProcessCarriers {
  const states = ['resolved', 'pending', 'unsupported', 'refused'] as const
  return {
    kinds: Array.isArray(kinds) ? kinds.filter(kind => CARRIER_KINDS.includes(kind)) : [],
    state: states.find(known => known === state) ?? 'unsupported',
    reason: '',
  }
}

export function maskCommandLine(words: readonly string[]): string[] {
  const program = (words[0] ?? '').split('/').at(-1)!.replace(/^-/, '')
  const isClient = CLIENTS.test(program)
  const isInterpreter = INTERPRETERS.test(program)
  let valueIsSecret = false
  let isText = false
  return words.map((word, index) => {
    if (index === 0) return maskWord(word)
    if (isText || isClient) {
      // Of a program's text, and of what a client sends, only options' names are shown.
      isText = false
      return isClient ? maskClientWord(word) : blank(word)
    }
    if (valueIsSecret && !/^--?[a-z]/i.test(word)) {
      valueIsSecret = false
      return blank(word)
    }
    valueIsSecret = /^--?[\w-]+$/.test(word) && SECRET_NAME.test(word)
    isText = isInterpreter && TEXT_OPTION.test(word)
    return maskWord(word)
  })
}

function maskClientWord(word: string): string {
  const option = LONG_OPTION.exec(word)
  if (option !== null) return `${option[1]}=${blank(option[3]!)}`
  if (/^--[a-z][a-z-]*$/.test(word) || /^-[A-Za-z]$/.test(word)) return word
  const attached = ATTACHED.exec(word)
  if (attached !== null) return attached[1]! + blank(attached[2]!)
  return URL.test(word) ? maskWord(word) : blank(word)
}

function maskWord(word: string): string {
  const url = URL.exec(word)
  if (url !== null) {
    const [, scheme, user = '', path, rest = ''] = url
    return scheme! + (user === '' ? '' : `${blank(user.slice(0, -1))}@`) + maskRandom(path!) + blank(rest, /[?#&=]/)
  }
  const setting = LONG_OPTION.exec(word) ?? SETTING.exec(word)
  if (setting !== null) {
    const [, name, equals, value] = setting
    return name! + equals! + (SECRET_NAME.test(name!) ? blank(value!) : maskWord(value!))
  }
  // A text with blanks may hold anything: sentences, scripts, headers.
  if (/\s/.test(word.trim()) && SECRET_NAME.test(word)) return blank(word)
  // -pSECRET of MySQL's programs.
  if (/^-p[^=\s]{3,}$/.test(word) && !/^-p(ort|id|idfile|refix|refork|ath|ythonpath)?[=\d.:/]*$/.test(word)) {
    return `-p${blank(word.slice(2))}`
  }
  return maskRandom(
    word.replace(/([a-z][a-z0-9+.-]*:\/\/)([^/?#\s@]*)@/gi, (_, scheme, user) => `${scheme}${blank(user)}@`),
  )
}

/** Pieces that look made up: tokens, digests. */
function maskRandom(word: string): string {
  return word.replace(/[\w+=~-]{16,}/g, piece => (looksRandom(piece) ? blank(piece) : piece))
}

function looksRandom(piece: string): boolean {
  if (classifySegment(piece) === 'secret') return true
  const digits = piece.replace(/\D/g, '').length
  const lower = piece.replace(/[^a-z]/g, '').length
  const upper = piece.replace(/[^A-Z]/g, '').length
  if (piece.length >= FEWEST_RANDOM && digits >= 2 && lower >= 2 && upper >= 2) return true
  return /^[0-9a-f]{32,}$/i.test(piece) && digits >= 4
}

/** As many `x` as characters, which is never longer as JSON. */
function blank(text: string, keep?: RegExp): string {
  return Array.from(text, character => (keep?.test(character) === true ? character : 'x')).join('')
}

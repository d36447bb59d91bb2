import type { ProcessInfo } from '../capture/process-info.js'

const SECRET_NAME = /(pass(word|wd|phrase)?|secret|token|credential|auth|api-?_?key|private-?_?key)/i
const MASK = 'xxxx'

/**
 * A process without what its command line may give away: values of arguments whose name sounds like a secret, and
 * passwords in URLs. What the process is called by stays.
 */
export function redactProcess(info: ProcessInfo): ProcessInfo {
  let nextIsSecret = false
  const commandLine = info.commandLine.map((argument, index) => {
    const isValue = nextIsSecret && !argument.startsWith('-')
    nextIsSecret = argument.startsWith('-') && !argument.includes('=') && SECRET_NAME.test(argument)
    if (isValue && index > 0) return MASK
    return redactArgument(argument)
  })
  return { ...info, commandLine }
}

function redactArgument(argument: string): string {
  const withoutPasswords = argument.replaceAll(/(\b[a-z][a-z0-9+.-]*:\/\/[^/\s:@]*:)[^@\s/]+@/gi, `$1${MASK}@`)
  const equals = withoutPasswords.indexOf('=')
  if (equals > 0 && SECRET_NAME.test(withoutPasswords.slice(0, equals))) {
    return `${withoutPasswords.slice(0, equals + 1)}${MASK}`
  }
  // -pSECRET of MySQL's programs.
  return /^-p.{2,}/.test(withoutPasswords) &&
    !/^-p(ort|id|idfile)?\b/.test(withoutPasswords) &&
    !/^-p\d+$/.test(withoutPasswords)
    ? `-p${MASK}`
    : withoutPasswords
}

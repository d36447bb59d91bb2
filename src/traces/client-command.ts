/**
 * A command line as it may be shown: the program, the words that say what it is to do, and names of options. Everything
 * else (names, addresses, tokens, passwords) is hidden, whatever it is.
 */
export interface ClientCommand {
  /** Of low cardinality: `openstack server create`. */
  readonly name: string
  /** `openstack --os-cloud ? server create --image ? ?` */
  readonly commandLine: string
}

const HIDDEN = '?'
/** From here on a command line only says that there is more. */
const MOST_WORDS = 32
/** What stands before the verb, and the verb: `openstack network agent show`, `nova list`. */
const MOST_SPOKEN = 4
const VERBS = new Set(
  'add,attach,boot,clear,confirm,copy,create,delete,detach,disable,download,enable,evacuate,export,failover,find,get,import,issue,list,lock,migrate,move,pause,post,put,reboot,rebuild,remove,rescue,resize,restore,resume,revert,revoke,save,set,shelve,show,start,stat,stop,suspend,sync,unlock,unpause,unrescue,unset,unshelve,update,upload,validate'.split(
    ',',
  ),
)
/** Options of OpenStack's clients that take no value, and may come before the command. */
const FLAGS = new Set(['--debug', '--verbose', '--quiet', '--insecure', '--timing', '--help', '-v', '-q', '-h'])
const WORD = /^[a-z][a-z-]{0,39}$/
const LONG_OPTION = /^--[A-Za-z][A-Za-z0-9-]{0,40}$/
const SHORT_OPTION = /^-[A-Za-z]$/

/** @param program name of the program; @param args what follows it on the command line. */
export function describeCommand(program: string, args: readonly string[]): ClientCommand {
  const spoken = spokenWords(args)
  const shown: string[] = [program]
  for (const [index, arg] of args.entries()) {
    if (index === MOST_WORDS) {
      shown.push('…')
      break
    }
    shown.push(spoken.has(index) ? arg : shownArgument(arg))
  }
  return { name: [program, ...[...spoken].map(index => args[index]!)].join(' '), commandLine: shown.join(' ') }
}

/** Places of the words up to the first verb; none where there is no verb soon. `image-list` has its verb within. */
function spokenWords(args: readonly string[]): Set<number> {
  const spoken = new Set<number>()
  for (let i = 0; i < args.length && spoken.size < MOST_SPOKEN; i++) {
    const arg = args[i]!
    if (arg.startsWith('-')) {
      if (spoken.size > 0) break
      if (!arg.includes('=') && !FLAGS.has(arg)) i++
      continue
    }
    if (!WORD.test(arg)) break
    spoken.add(i)
    if (arg.split('-').some(part => VERBS.has(part))) return spoken
  }
  return new Set()
}

function shownArgument(arg: string): string {
  if (!arg.startsWith('-') || arg === '-') return HIDDEN
  const equals = arg.indexOf('=')
  const option = equals < 0 ? arg : arg.slice(0, equals)
  if (LONG_OPTION.test(option)) return equals < 0 ? option : `${option}=${HIDDEN}`
  // A value may follow a short option without a blank.
  return SHORT_OPTION.test(option) && equals < 0 ? option : `${arg.slice(0, 2).replace(/[^A-Za-z-]/g, '')}${HIDDEN}`
}

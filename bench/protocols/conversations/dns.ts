import { Resolver } from 'node:dns/promises'
import { program } from '../../../test/support/requirements.js'
import { accepts, freePort, startServerProcess } from '../../../test/support/server-process.js'
import type { Conversation } from '../conversation.js'
import { readOf } from './exchange-text.js'

const AT_ONCE = 8
const TYPES: Readonly<Record<string, string>> = { '1': 'A', '28': 'AAAA', '16': 'TXT' }
const CODES: Readonly<Record<string, string>> = { '0': 'NOERROR', '3': 'NXDOMAIN', '5': 'REFUSED' }
/** Node.js' names of what a server answers; an answer without records is none of the server's errors. */
const ANSWERS: Readonly<Record<string, string>> = { ENOTFOUND: 'NXDOMAIN', ENODATA: 'NOERROR', EREFUSED: 'REFUSED' }

async function ask(resolver: Resolver, i: number): Promise<string> {
  const type = ['A', 'AAAA', 'A', 'TXT'][i % 4]!
  const name = i % 10 === 9 ? `n${i}.missing.test` : i % 10 === 8 ? `n${i}.elsewhere` : `n${i}.one.test`
  try {
    await resolver.resolve(name, type)
    return `${type} ${name} NOERROR`
  } catch (error) {
    const { code } = error as { code: string }
    return `${type} ${name} ${ANSWERS[code] ?? code}`
  }
}

/** dnsmasq and c-ares, as Node.js has it. */
export const dns: Conversation = {
  name: 'dns',
  goal: 5,
  needs: [program('dnsmasq')],
  start: async folder => {
    const port = await freePort()
    const records = ['--address=/one.test/192.0.2.1', '--local=/test/']
    const server = await startServerProcess({
      command: '/usr/sbin/dnsmasq',
      args: [
        ...['--keep-in-foreground', '--conf-file=/dev/null', '--no-resolv', '--no-hosts', '--bind-interfaces'],
        ...['--listen-address=127.0.0.1', `--port=${port}`, '--pid-file=', '--user=root', ...records],
      ],
      cwd: folder,
      ready: () => accepts(port),
    })
    const resolver = new Resolver({ timeout: 10_000, tries: 1 })
    resolver.setServers([`127.0.0.1:${port}`])
    return {
      port,
      talk: async requests => {
        const lines: string[] = []
        let next = 0
        const work = async (): Promise<void> => {
          for (let i = next++; i < requests; i = next++) lines.push(await ask(resolver, i))
        }
        await Promise.all(Array.from({ length: AT_ONCE }, work))
        return lines
      },
      stop: server.stop,
    }
  },
  tshark: {
    usualPort: 53,
    decodeAs: ports => ports.flatMap(port => [`udp.port==${port},dns`, `tcp.port==${port},dns`]),
    filter: () => 'dns',
    fields: ['dns.flags.response', 'dns.qry.type', 'dns.qry.name', 'dns.flags.rcode'],
    theirs: rows =>
      rows.map(([isAnswer = [], types = [], names = [], codes = []]) => {
        const question = `${TYPES[types[0]!] ?? types[0]} ${names[0]}`
        return isAnswer[0] === '1' ? `${question} ${CODES[codes[0]!] ?? codes[0]}` : question
      }),
    ours: read =>
      readOf(read, 'dns').flatMap(({ exchange: { attributes } }) => {
        const question = `${attributes['ghostspan.dns.question_type']} ${attributes['dns.question.name']}`
        const code = attributes['ghostspan.dns.response_code']
        return code === undefined ? [question] : [question, `${question} ${code}`]
      }),
  },
  seen: read =>
    readOf(read, 'dns').map(
      ({ exchange: { attributes } }) =>
        `${attributes['ghostspan.dns.question_type']} ${attributes['dns.question.name']} ` +
        `${attributes['ghostspan.dns.response_code']}`,
    ),
}

import * as amqp from '../protocols/amqp-frames.js'
import { type Call, client, seeded, server } from '../protocols/conversation.js'
import * as mysql from '../protocols/mysql-packets.js'

export interface SecretConversation {
  readonly name: string
  readonly conversation: readonly Call[]
  readonly joined?: boolean
}

const random = seeded(20_260)
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const planted: string[] = []

/** Every marker that has been planted anywhere. */
export const secrets: readonly string[] = planted

/** A new one: 16 random characters, or as many as wanted. */
function secret(length = 16): string {
  const marker = Array.from({ length }, () => LETTERS[random(LETTERS.length)]).join('')
  planted.push(marker)
  return marker
}

const lines = (...all: string[]): string => all.map(line => `${line}\r\n`).join('')
const OK = lines('HTTP/1.1 200 OK', 'Content-Length: 2', '') + 'ok'

const HTTP: SecretConversation[] = [
  {
    name: 'HTTP: headers, cookies, query, path, bodies',
    conversation: [
      client(
        lines(
          `POST /login/${secret(24)};jsessionid=${secret()}?token=${secret()}&a=${secret()}#${secret()} HTTP/1.1`,
          'Host: shop.example:8080',
          `Authorization: Bearer ${secret()}`,
          `Cookie: session=${secret()}; other=${secret()}`,
          `X-Api-Key:${secret()}`,
          `User-Agent: ${secret()}/1.0`,
          `Connection: ${secret()}`,
          `X-Request-Id: ${secret()}`,
          `X-Folded: a`,
          ` ${secret()}`,
          `no colon ${secret()}`,
          'Content-Length: 43',
          '',
        ) + `{"user":"${secret()}","pw":"${secret(15)}"}`,
      ),
      server(
        lines(
          `HTTP/1.1 403 No ${secret()}`,
          `Set-Cookie: id=${secret()}; Path=/`,
          `WWW-Authenticate: Basic realm="${secret()}"`,
          'Transfer-Encoding: chunked',
          '',
        ) + `10;x=${secret()}\r\n${secret()}\r\n0\r\nX-Trailer: ${secret()}\r\n\r\n`,
      ),
      client(lines(`GET http://${secret()}:${secret()}@host.example/${secret(30)}?${secret()} HTTP/1.1`, '')),
      server(lines('HTTP/1.0 200 OK', '') + `till the end ${secret()}\nGET /${secret()} HTTP/1.1\r\n`),
      server(`x ${secret()}`, true),
    ],
  },
  {
    name: 'HTTP: a body that looks like requests, and one that is longer than it says',
    conversation: [
      client(
        lines('PUT /a HTTP/1.1', 'Host: a', 'Content-Length: 89', '') +
          `GET /x?q=${secret()} HTTP/1.1\r\nX-A: ${secret()}\r\nCookie: ${secret()}\r\n\r\n`,
      ),
      client(`\r\n${secret()}: ${secret()}\r\n${secret()}`),
      server(OK),
      client(`garbage ${secret()}\r\n\r\n`),
      client(lines('GET /b HTTP/1.1', `Cookie: ${secret()}`, '')),
      server(OK),
    ],
  },
  {
    name: 'HTTP: what follows an upgrade and a tunnel',
    conversation: [
      client(lines('GET /ws HTTP/1.1', 'Host: a', 'Upgrade: websocket', `Sec-WebSocket-Key: ${secret()}`, '')),
      server(lines('HTTP/1.1 101 Switching', 'Upgrade: websocket', '') + secret()),
      client(`\u0081\u0090${secret()}`),
      server(`\u0081\u0010${secret()}`),
    ],
  },
  {
    name: 'HTTP: a request that waits for 100 Continue',
    conversation: [
      client(lines('POST /up HTTP/1.1', 'Host: a', 'Content-Length: 16', 'Expect: 100-continue', '')),
      server('HTTP/1.1 100 Continue\r\n\r\n'),
      client(secret()),
      server(lines('HTTP/1.1 200 OK', 'Content-Length: 16', '') + secret()),
    ],
  },
]

const { bytes, int, packet, text } = mysql
const result = (...values: string[]): Buffer => {
  const column = (sequence: number, name: string) =>
    packet(
      sequence,
      text('def'),
      text('shop'),
      text('t'),
      text('t'),
      text(name),
      text(name),
      12,
      int(33, 2),
      new Uint8Array(10),
    )
  return bytes(
    packet(1, values.length),
    ...values.map((_, index) => column(index + 2, 'c')),
    mysql.eof(values.length + 2),
    packet(values.length + 3, ...values.map(text)),
    packet(values.length + 4, ...values.map(() => 0)),
    mysql.eof(values.length + 5),
  )
}
const query = (...statement: string[]): Call => client(packet(0, 3, ...statement))

const MYSQL: SecretConversation[] = [
  {
    name: 'MySQL: login, statements, parameters, rows, messages, a file',
    conversation: [
      mysql.greeting('8.0.36'),
      client(
        packet(
          1,
          int(mysql.LOGIN | mysql.CAPABILITIES.localFiles, 4),
          int(0x1000000, 4),
          45,
          new Uint8Array(23),
          secret(),
          0,
          16,
          secret(),
          'shop',
          0,
          'mysql_native_password',
          0,
          secret(),
        ),
      ),
      server(packet(2, 0xfe, 'mysql_native_password', 0, secret(), 0)),
      client(packet(3, secret())),
      server(bytes(packet(4, 0, 0, 0, int(2, 2), int(0, 2), secret()))),
      query(`SELECT a, 'x''${secret()}\\'${secret()}' FROM t1 WHERE b="${secret()}" -- ${secret()}\n`),
      server(result(secret(), secret())),
      query(
        `INSERT INTO t (a) VALUES ('${secret()}', x'${secret()}', 0x${Buffer.from(secret()).toString('hex')}) # ${secret()}`,
      ),
      server(packet(1, 0, 1, 0xfc, int(4711, 2), int(2, 2), int(0, 2), secret())),
      query(`/* ${secret()} */ SELECT 1 /* "${secret()} */ FROM t /*!50000 WHERE a = '${secret()}' */`),
      server(packet(1, 0xff, int(1064, 2), '#42000', `You have an error near '${secret()}'`)),
      client(packet(0, 0x16, `SELECT c FROM t WHERE d = ? AND e = '${secret()}'`)),
      server(
        bytes(packet(1, 0, int(1, 4), int(0, 2), int(1, 2), 0, int(0, 2)), packet(2, text('def'), text(secret()))),
      ),
      client(packet(0, 0x18, int(1, 4), int(0, 2), secret())),
      client(packet(0, 0x17, int(1, 4), 0, int(1, 4), 0, 1, int(0xfe, 2), text(secret()))),
      server(result(secret())),
      client(packet(0, 0x11, secret(), 0, 16, secret(), 'shop', 0, int(45, 2), secret())),
      server(packet(1, 0, 0, 0, int(2, 2), int(0, 2))),
      query("LOAD DATA LOCAL INFILE 'f' INTO TABLE t"),
      server(packet(1, 0xfb, secret())),
      client(bytes(packet(2, secret(), ',', secret()), packet(3))),
      server(mysql.ok(4)),
      client(packet(0, 0x04, secret(), 0)),
      server(mysql.eof(1)),
    ],
  },
  {
    name: 'MySQL: query attributes',
    conversation: [
      mysql.greeting('8.0.36'),
      mysql.login(mysql.LOGIN | mysql.CAPABILITIES.queryAttributes),
      server(mysql.ok(2)),
      client(
        packet(
          0,
          3,
          [2, 1, 0, 1],
          int(0xfe, 2),
          text(secret()),
          int(0xfe, 2),
          text('b'),
          text(secret()),
          text(secret()),
          'DO 1',
        ),
      ),
      server(mysql.ok(1)),
    ],
  },
  {
    name: 'MySQL: joined in the middle',
    joined: true,
    conversation: [
      server(bytes(packet(7, text(secret())), packet(8, text(secret())), mysql.eof(9))),
      query(`SELECT '${secret()}'`),
      server(result(secret())),
    ],
  },
]

const { method, short, long, int: big } = amqp
const withEverything = (): Buffer =>
  amqp.frame(
    2,
    1,
    big(60, 2),
    big(0, 2),
    big(36, 8),
    [0xff, 0xfc],
    ...[short(secret()), short(secret())],
    (() => {
      const nested = amqp.join(short('inner'), 'S', long(secret()))
      const entries = amqp.join(
        short('token'),
        'S',
        long(secret()),
        short('raw'),
        'x',
        long(secret()),
        short('table'),
        'F',
        big(nested.length, 4),
        nested,
        short('traceparent'),
        'S',
        long(`${secret()}${secret()}${secret()}1234567`),
      )
      return amqp.join(big(entries.length, 4), entries)
    })(),
    ...[[2], [0], short(secret()), short(secret()), short(secret()), short(secret())],
    big(1_700_000_000, 8),
    ...[short(secret()), short(secret()), short(secret()), short(secret())],
  )

const AMQP: SecretConversation[] = [
  {
    name: 'AMQP: login, properties, bodies, texts of errors',
    conversation: [
      client(amqp.protocolHeader),
      server(method(0, 10, 10, [0, 9], amqp.table({ product: secret() }), long('PLAIN'), long('en_US'))),
      client(
        method(
          0,
          10,
          11,
          amqp.table({ connection_name: secret() }),
          short('PLAIN'),
          long(`\0${secret()}\0${secret()}`),
          short('en_US'),
        ),
      ),
      client(method(0, 10, 40, short(`/${secret()}`), short(''), [0])),
      server(method(0, 10, 41, short(''))),
      client(method(0, 10, 70, long(secret()), short('why'))),
      server(method(0, 10, 71)),
      client(
        amqp.join(
          amqp.publishMethod(1, 'ex', 'orders'),
          withEverything(),
          amqp.body(1, secret()),
          amqp.body(1, secret(20)),
        ),
      ),
      server(
        amqp.join(
          amqp.deliverMethod(1, 'tag', 1, 'ex', 'orders'),
          withEverything(),
          amqp.body(1, `${secret()}${secret(20)}`),
        ),
      ),
      client(
        amqp.join(
          amqp.publishMethod(1, 'ex', 'big'),
          amqp.content(1, `${secret(64)}${'-'.repeat(4_000)}${secret(64)}`, {}, 1_500),
        ),
      ),
      server(method(1, 20, 40, big(404, 2), short(`no queue ${secret()}`), big(60, 2), big(40, 2))),
      client(method(1, 20, 41)),
    ],
  },
]

const resp = (...words: string[]): string =>
  `*${words.length}\r\n${words.map(word => `$${word.length}\r\n${word}\r\n`).join('')}`

const REDIS: SecretConversation[] = [
  {
    name: 'Redis: AUTH, keys, values, texts, inline commands, pushes',
    conversation: [
      client(resp('HELLO', '3', 'AUTH', secret(), secret(), 'SETNAME', secret())),
      server(`%2\r\n$6\r\nserver\r\n$16\r\n${secret()}\r\n+proto\r\n:${'4711'.repeat(4)}\r\n`),
      client(resp('AUTH', secret())),
      server(`-WRONGPASS invalid user ${secret()}\r\n`),
      client(resp('SET', secret(), secret(), 'EX', '10')),
      server('+OK\r\n'),
      client(resp('MGET', secret(), secret())),
      server(`*2\r\n$16\r\n${secret()}\r\n=20\r\ntxt:${secret()}\r\n`),
      client(resp('EVAL', `return "${secret()}"`, '1', secret(), secret())),
      server(`!20\r\nERR ${secret()}\r\n`),
      client(`set ${secret()} ${secret()}\r\n`),
      server(`+${secret()}\r\n`),
      client(resp('CLIENT', 'SETNAME', secret())),
      server('+OK\r\n'),
      client(resp('SUBSCRIBE', secret())),
      server(
        `>3\r\n$9\r\nsubscribe\r\n$16\r\n${secret()}\r\n:1\r\n>3\r\n$7\r\nmessage\r\n$16\r\n${secret()}\r\n$16\r\n${secret()}\r\n`,
      ),
      client(`*1\r\n$16\r\n${secret()}\r\n`),
      server(`-${secret()}\r\n`),
      client(`${secret()} ${secret()}\r\n`),
    ],
  },
]

const MEMCACHED: SecretConversation[] = [
  {
    name: 'memcached: keys, values, opaque tokens, texts',
    conversation: [
      client(`set ${secret()} 0 300 16\r\n${secret()}\r\n`),
      server('STORED\r\n'),
      client(`get ${secret()} ${secret()}\r\n`),
      server(`VALUE ${secret()} 0 16\r\n${secret()}\r\nVALUE ${secret()} 0 18 4711\r\n${secret()}\r\n\r\nEND\r\n`),
      client(`cas ${secret()} 0 0 16 471147114711\r\n${secret()}\r\n`),
      server(`SERVER_ERROR ${secret()}\r\n`),
      client(`mg ${secret()} v k O${secret()}\r\n`),
      server(`VA 16 k${secret()} O${secret()}\r\n${secret()}\r\n`),
      client(`ms ${secret()} 16 T30 I${secret()}\r\n${secret()}\r\n`),
      server('HD\r\n'),
      client('stats\r\n'),
      server(`STAT ${secret()} ${secret()}\r\nEND\r\n`),
      client(`lru_crawler metadump ${secret()}\r\n`),
      server(`key=${secret()} exp=1\r\nEND\r\n`),
      client(`${secret()} ${secret()}\r\n`),
      server(`${secret()}\r\n`),
    ],
  },
]

const UNKNOWN: SecretConversation[] = [
  {
    name: 'protocols that nobody knows',
    conversation: [
      server(`220 mail ${secret()}\r\n`),
      client(`EHLO ${secret()}\r\n`),
      client(`AUTH PLAIN ${secret()}\r\n`),
      client(`PASS ${secret()}\r\n`),
      client(`LOGIN ${secret()} ${secret()}\r\n`),
      server(`+OK ${secret()}\r\n`),
    ],
  },
  { name: 'a bare token', conversation: [client(`${secret(40)}`), server(`${secret(40)}`), client(`${secret()}\n`)] },
  {
    name: 'encrypted, or so it looks',
    conversation: [client(`\u0016\u0003\u0001\u0002\0${secret(40)}`), server(`\u0016\u0003\u0003\0z${secret(40)}`)],
  },
]

export const conversations: readonly SecretConversation[] = [
  ...HTTP,
  ...MYSQL,
  ...AMQP,
  ...REDIS,
  ...MEMCACHED,
  ...UNKNOWN,
]

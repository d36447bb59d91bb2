import { z } from 'zod'
import {
  durationText,
  glob,
  httpUrl,
  listenAddress,
  port,
  regularExpression,
  sizeText,
  wholeNumber,
} from './value-schemas.js'

/** Protocols that can be switched off, by the names of their modules. */
const PROTOCOLS = {
  http: 'HTTP/1.x',
  http2: 'HTTP/2 and gRPC',
  mysql: 'MySQL and MariaDB',
  'mysql-compressed': "MySQL's compressed protocol",
  postgresql: 'PostgreSQL',
  amqp: 'AMQP 0-9-1',
  kafka: 'Kafka',
  redis: 'Redis',
  memcached: "memcached's text and meta protocols",
  'memcached-binary': "memcached's binary protocol",
  fastcgi: 'FastCGI',
  uwsgi: 'uwsgi',
  dns: 'DNS over UDP and TCP',
  tls: 'TLS, recognised and counted, never decrypted',
} as const

export const PROTOCOL_NAMES = Object.keys(PROTOCOLS) as (keyof typeof PROTOCOLS)[]

const flag = (fallback: boolean) => z.boolean({ error: 'must be true or false' }).default(fallback)
const name = z.string({ error: 'must be a text' }).min(1, { error: 'must not be empty' })

/** An object whose settings all have defaults, so that it may be left out as a whole. */
const section = <T extends z.core.$ZodLooseShape>(shape: T, description: string) =>
  z
    .strictObject(shape)
    .prefault({} as never)
    .describe(description)

/** OpenStack's clients: each run is one command of one user. */
const COMMAND_LINE_CLIENTS = [
  'openstack',
  'nova',
  'glance',
  'keystone',
  'neutron',
  'cinder',
  'swift',
  'heat',
  'ironic',
  'manila',
  'designate',
  'barbican',
  'magnum',
  'trove',
]

export const RULE_CRITERIA = ['executable', 'command_line', 'port', 'user', 'cgroup'] as const

const selectionRule = z
  .strictObject({
    action: z.enum(['include', 'exclude']).describe('What happens to a process that the rule fits.'),
    executable: glob
      .describe('Path of the executable: * within a folder, ** across folders; without a /: its name.')
      .optional(),
    command_line: regularExpression.describe('Searched in the command line, arguments joined by blanks.').optional(),
    port: port.describe('A TCP port that the process listens on.').optional(),
    user: z
      .union([name, z.int().min(0)], { error: 'must be the name or the number of a user' })
      .describe('User that the process runs as, by name or number.')
      .optional(),
    cgroup: name.describe('Beginning of the path of its cgroup, such as /system.slice/nginx.service.').optional(),
  })
  .refine(rule => RULE_CRITERIA.some(criterion => rule[criterion] !== undefined), {
    error: `must have at least one of: ${RULE_CRITERIA.join(', ')}`,
  })

const serviceRule = z
  .strictObject({
    name: name.describe('Name of the service.'),
    executable: glob
      .describe('Path of the executable: * within a folder, ** across folders; without a /: its name.')
      .optional(),
    command_line: regularExpression.describe('Searched in the command line, arguments joined by blanks.').optional(),
    port: port.describe('A TCP port that the process listens on.').optional(),
  })
  .refine(rule => rule.executable !== undefined || rule.command_line !== undefined || rule.port !== undefined, {
    error: 'must have at least one of: executable, command_line, port',
  })

const protocols = section(
  Object.fromEntries(
    PROTOCOL_NAMES.map(protocol => [
      protocol,
      section({ enabled: flag(true).describe('False: not read.') }, `${PROTOCOLS[protocol]}.`),
    ]),
  ) as Record<keyof typeof PROTOCOLS, ReturnType<typeof section<{ enabled: ReturnType<typeof flag> }>>>,
  'Protocols that are read; detected from bytes, not from ports.',
)

const archive = section(
  {
    enabled: flag(true).describe('Keep spans, samples and links in ClickHouse.'),
    data_directory: name
      .describe(
        'Folder of the embedded archive, the spool and the lock. Default: /var/lib/ghostspan as root, else ghostspan in $XDG_DATA_HOME (~/.local/share).',
      )
      .optional(),
    clickhouse: z
      .strictObject({
        url: httpUrl.describe('URL of the server, such as http://localhost:8123.'),
        user: name.default('default').describe('User of the server.'),
        password: z
          .string({ error: 'must be a text (quote numbers)' })
          .default('')
          .describe('Its password; better put in by substitution than written down.'),
        database: z
          .string({ error: 'must be a name of letters, digits and _' })
          .regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, { error: 'must be a name of letters, digits and _' })
          .default('ghostspan')
          .describe('Database, created if missing.'),
      })
      .describe('A ClickHouse server instead of the embedded engine.')
      .optional(),
    listen: listenAddress
      .describe(
        'Where the embedded engine also answers other programs, to read only (Grafana, curl). Default: nowhere.',
      )
      .optional(),
    retention: section(
      {
        age: durationText({ from: '1h' }).default('7d').describe('Older rows are dropped.'),
        size: sizeText({ from: '64MiB' }).default('10GB').describe('Above this size the oldest days are dropped.'),
      },
      'How much the archive keeps.',
    ),
    spool: section(
      {
        size: sizeText({ from: '1MiB' })
          .default('1GB')
          .describe('Most bytes on disk; then the oldest are dropped, counted.'),
      },
      'Where rows wait while the archive is away.',
    ),
  },
  'The archive in ClickHouse.',
)

const sketches = section(
  {
    enabled: flag(true).describe('Sum finished spans up by minute, hour and day; needs the archive.'),
    retention: section(
      {
        minutes: durationText({ from: '1d' }).default('7d').describe('Sketches by minute.'),
        hours: durationText({ from: '7d' }).default('90d').describe('Sketches by hour.'),
        days: durationText({ from: '30d' }).default('1095d').describe('Sketches by day.'),
      },
      'How long each is kept.',
    ),
  },
  'Small summaries that stay when spans are dropped: latency, errors, callers, frequent routes and statements, edges.',
)

const shapes = section(
  {
    store: flag(false).describe(
      'Keep traces as rows of what their shape does not say, instead of a row a span: a third of the space; SQL over spans sees only what cannot be kept so.',
    ),
    thin_after: durationText({ from: '1h' })
      .default('3d')
      .describe('Such traces lose their values after this time and keep structure and times of three digits.'),
  },
  'Traces as shapes: trees of operations, counted, with examples.',
)

const sampling = section(
  {
    enabled: flag(false).describe('Keep and send only a part of the traces. Sketches and shapes count all of them.'),
    share: z
      .number({ error: 'must be a number above 0, up to 1' })
      .gt(0, { error: 'must be a number above 0, up to 1' })
      .max(1, { error: 'must be a number above 0, up to 1' })
      .default(0.1)
      .describe('Of the traces that nothing speaks for. Failed, slow, new and rare ones are always kept.'),
    rules: z
      .array(
        z
          .strictObject({
            service: name.describe('A span of the trace belongs to this service.').optional(),
            operation: name.describe('A span of the trace has this name; with service, the same span.').optional(),
          })
          .refine(rule => rule.service !== undefined || rule.operation !== undefined, {
            error: 'must have at least one of: service, operation',
          }),
      )
      .default([])
      .describe('Traces that are always kept, beside the failed, slow, new and rare ones.'),
  },
  'Sampling of whole traces, when they are finished. What is kept says of how many it is one: ghostspan.trace.weight.',
)

const operations = section(
  {
    health: section(
      {
        enabled: flag(true).describe('Serve /metrics, /healthz, /readyz and /status.'),
        listen: listenAddress.default('127.0.0.1:9464').describe('Where they are served.'),
        required: flag(false).describe('Do not start when that port is taken; else go on without.'),
      },
      'Metrics and health over HTTP.',
    ),
    log: section(
      {
        level: z
          .enum(['debug', 'info', 'warn', 'error'])
          .default('info')
          .describe('Least severe message that is shown.'),
        format: z.enum(['text', 'json']).default('text').describe('Form of a message on standard error.'),
      },
      'Messages on standard error.',
    ),
    shutdown_timeout: durationText({ from: '100ms', to: '10m' })
      .default('10s')
      .describe('Longest time to deliver what is still open at the end.'),
  },
  'Running the daemon.',
)

/** What is ours, under `distribution.ghostspan`, the place that the standard gives to distributions. */
export const distribution = section(
  {
    version: z
      .string({ error: 'must be a quoted text: "1.0"' })
      .default('1.0')
      .describe('Version of this part. A newer 1.x is read with a warning, anything else refused.'),
    selection: section(
      {
        default: z
          .enum(['include', 'exclude'])
          .default('include')
          .describe('What happens to a process that no rule fits.'),
        rules: z
          .array(selectionRule)
          .default([])
          .describe('In order; the first that fits decides, all criteria given must fit.'),
      },
      'Processes that are traced.',
    ),
    capture: section(
      {
        ring_buffer: sizeText({ from: '256KiB', to: '1GiB' })
          .default('16MiB')
          .describe('Ring between kernel and user space; rounded up to a power of two.'),
        poll_interval: durationText({ from: '1ms', to: '1s' })
          .default('8ms')
          .describe('How often the ring is read while there is work; up to eight times that when there is none.'),
        hooks: z
          .enum(['auto', 'socket', 'syscall'])
          .default('auto')
          .describe(
            'What tells of socket calls: socket tracepoints (Linux 6.3), or system calls (5.14), which cost more. ' +
              'auto: the first that this kernel has.',
          ),
      },
      'Reading sockets from the kernel.',
    ),
    protocols,
    services: section(
      { rules: z.array(serviceRule).default([]).describe('In order; the first that fits names the service.') },
      'Names of observed services where discovery would say something else.',
    ),
    correlation: section(
      {
        confidence_floor: z
          .number({ error: 'must be a number from 0 to 1' })
          .min(0, { error: 'must be a number from 0 to 1' })
          .max(1, { error: 'must be a number from 0 to 1' })
          .default(0.5)
          .describe('A likely parent below this confidence becomes a link, not a parent.'),
      },
      'Tying samples together.',
    ),
    traces: section(
      {
        quiet: durationText({ from: '10ms', to: '10m' })
          .default('2s')
          .describe('A trace leaves when nothing happened in it for this long.'),
        longest: durationText({ from: '1s', to: '24h' }).default('60s').describe('… or when it is this old.'),
        open_limit: wholeNumber(100, 10_000_000)
          .default(200_000)
          .describe('Most operations in flight; then the oldest are given up, counted.'),
        process_roots: section(
          {
            programs: z
              .array(glob)
              .default(COMMAND_LINE_CLIENTS)
              .describe('Names of programs, as globs; of an interpreter, of the script that it runs.'),
            command_lines: z
              .array(regularExpression)
              .default([])
              .describe('Searched in the command line, arguments joined by blanks.'),
          },
          'Short-lived clients: the process is the root of one trace over all its requests, its arguments hidden. Test runners and load generators never are.',
        ),
      },
      'Assembly of traces.',
    ),
    archive,
    sketches,
    shapes,
    sampling,
    operations,
  },
  "Ghostspan's own settings.",
)

import { execFile, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import { repositoryPath } from '../accuracy/repository-path.js'
import { program, type Requirement, requires } from './requirements.js'
import { accepts, freePort, startInFolder, startServerProcess } from './server-process.js'

export interface KafkaBroker {
  readonly port: number
  stop(): Promise<void>
}

const VERSION = '4.3.1'
/** The jars are in a folder for good: they are 55 MB. */
const CACHE =
  process.env['GHOSTSPAN_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'ghostspan')
const JARS = join(CACHE, `kafka-${VERSION}`)
const DOWNLOAD_MILLIS = 240_000
const CLUSTER = 'MkU3OEVBNTcwNTJENDM2Qk'

let tried = false

/** Kafka is in no Debian package: its jars are downloaded once, where that is possible. */
function hasJars(): boolean {
  if (existsSync(JARS)) return true
  if (tried) return false
  tried = true
  mkdirSync(CACHE, { recursive: true })
  const partly = `${JARS}.${process.pid}`
  const copy = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${partly}`]
  const pom = repositoryPath('test', 'support', 'kafka', 'pom.xml')
  const { status } = spawnSync('mvn', ['-B', '-q', '-f', pom, ...copy], { stdio: 'ignore', timeout: DOWNLOAD_MILLIS })
  if (status === 0 && !existsSync(JARS)) renameSync(partly, JARS)
  else rmSync(partly, { recursive: true, force: true })
  return existsSync(JARS)
}

export const kafkaBroker: readonly Requirement[] = [
  program('java'),
  { what: "Kafka's jars (mvn, and a way to its repository)", met: hasJars },
]

/** Skips the test where Kafka cannot be downloaded, also where everything else is required. True: it may go on. */
export function requiresKafka(t: TestContext): boolean {
  const [java, jars] = kafkaBroker
  if (!requires(t, java!, program('mvn'))) return false
  if (jars!.met()) return true
  t.skip(`needs ${jars!.what}`)
  return false
}

const settings = (folder: string, port: number, controller: number): string => `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controller}
listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=PLAINTEXT://127.0.0.1:${port}
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=${folder}/log
num.partitions=1
auto.create.topics.enable=true
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
num.network.threads=2
num.io.threads=2
log.cleaner.dedupe.buffer.size=4194304
log.cleaner.threads=1
`
const LOGGING = `Configuration:
  status: error
  Appenders:
    Console:
      name: out
      PatternLayout: { pattern: "[%d] %p %m (%c)%n" }
  Loggers:
    Root: { level: WARN, AppenderRef: { ref: out } }
`

/** A Kafka broker of its own: one node without ZooKeeper, data in a temporary folder, free ports of loopback. */
export function startKafka(): Promise<KafkaBroker> {
  return startInFolder('kafka', async folder => {
    const port = await freePort()
    const configuration = join(folder, 'server.properties')
    await writeFile(configuration, settings(folder, port, await freePort()))
    await writeFile(join(folder, 'log4j2.yaml'), LOGGING)
    const java = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xmx384m', '-Djava.awt.headless=true']
    java.push(`-Dlog4j2.configurationFile=${folder}/log4j2.yaml`, '-cp', `${JARS}/*`)
    const format = ['kafka.tools.StorageTool', 'format', '--cluster-id', CLUSTER, '--config', configuration]
    await promisify(execFile)('java', [...java, ...format], { cwd: folder })
    const { stop } = await startServerProcess({
      command: 'java',
      args: [...java, 'kafka.Kafka', configuration],
      cwd: folder,
      ready: () => accepts(port),
    })
    return {
      port,
      stop,
    }
  })
}

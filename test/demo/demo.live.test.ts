import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { demoPackages, missingPackages } from '../../src/demo/demo-packages.js'
import { type DemoSystem, startDemoSystem } from '../../src/demo/demo-system.js'
import { type LoadResult, runLoad } from '../../src/demo/load.js'
import { buildTruth, readTruthFolder, type Truth, type TruthRecord } from '../../src/demo/truth.js'
import { waitFor } from '../../src/demo/wait-for.js'
import { workload } from '../../src/demo/workload.js'
import { isAlive } from '../../src/process-identity.js'
import { file, requires, root } from '../support/requirements.js'

const REQUESTS = 60

const requirements = [root, ...demoPackages().map(each => file(each.file, `the Debian package ${each.name}`))]
const able = process.getuid?.() === 0 && missingPackages().length === 0

const count = (records: readonly TruthRecord[], kind: TruthRecord['kind']) =>
  records.filter(each => each.kind === kind).length

describe("the demo's system and its ground truth", () => {
  let system: DemoSystem | undefined
  let load: LoadResult
  let records: TruthRecord[]
  let truth: Truth

  before(async () => {
    if (!able) return
    system = await startDemoSystem({
      parent: tmpdir(),
      worker: { consumers: 2, prefetch: 2 },
      progress: () => {},
    })
    const requests = workload(REQUESTS, 5)
    load = await runLoad({ port: system.ports.nginx, requests, concurrency: 8, answered: () => {} })
    const folder = system.truthFolder
    const drained = await waitFor(() => {
      const now = readTruthFolder(folder)
      return count(now, 'producer') === count(now, 'consumer')
    }, 30_000)
    assert.ok(drained, 'every message that was sent is consumed')
    records = [...load.records, ...readTruthFolder(folder)]
    truth = buildTruth(records)
  })

  after(async () => {
    await system?.stop()
  })

  test('every request is answered, some of them with errors', t => {
    if (!requires(t, ...requirements)) return
    assert.deepEqual(load.failures, [])
    assert.equal(load.records.length, REQUESTS)
    const statuses = new Set(load.records.map(each => each.status))
    for (const status of [200, 201, 404, 500])
      assert.ok(statuses.has(status), `${status} in ${[...statuses].join(' ')}`)
  })

  test('every request of the load is received by the web service once, through nginx', t => {
    if (!requires(t, ...requirements)) return
    const received = records.filter(each => each.kind === 'server' && each.request != null).map(each => each.request!)
    assert.deepEqual([...received].sort(), load.records.map(each => each.request!).sort())
  })

  test("nginx's own log agrees about which connection carried which request", t => {
    if (!requires(t, ...requirements)) return
    const lines = readFileSync(join(system!.folder, 'log', 'nginx-access.log'), 'utf8')
      .trimEnd()
      .split('\n')
    const logged = lines.map(line => line.split(' ')).filter(fields => fields[3]!.startsWith('r'))
    const key = (port: number | string, status: number | string, request: string) => `${request} ${port} ${status}`
    assert.deepEqual(
      logged.map(([port, , status, request]) => key(port!, status!, request!)).sort(),
      load.records.map(each => key(each.local, each.status!, each.request!)).sort(),
    )
  })

  test('positions on a connection rise, and no two operations begin at the same byte', t => {
    if (!requires(t, ...requirements)) return
    const keys = truth.operations.map(each => each.key)
    assert.equal(new Set(keys).size, keys.length)
    const last = new Map<string, TruthRecord>()
    for (const each of [...records].sort((a, b) => a.at - b.at)) {
      const end = `${each.kind} ${each.local} ${each.remote}`
      const before = last.get(end)
      assert.ok(before === undefined || each.position > before.position, JSON.stringify([before, each]))
      last.set(end, each)
    }
  })

  test('both ends of every call between the services note the same position', t => {
    if (!requires(t, ...requirements)) return
    const calls = records.filter(each => each.kind === 'client' && each.protocol === 'http')
    const answered = records.filter(
      each => each.kind === 'server' && each.service === 'stock' && each.name !== 'GET /health',
    )
    const end = (local: number, remote: number, position: number) => `${local} ${remote} ${position}`
    assert.ok(calls.length > 0)
    assert.deepEqual(
      calls.map(each => end(each.local, each.remote, each.position)).sort(),
      answered.map(each => end(each.remote, each.local, each.position)).sort(),
    )
  })

  test('every message that was sent is consumed once, under the request that sent it', t => {
    if (!requires(t, ...requirements)) return
    const consumers = truth.operations.filter(each => each.label === 'worker consumer amqp')
    assert.equal(consumers.length, count(records, 'producer'))
    assert.ok(consumers.length > 0)
    for (const each of consumers) assert.equal(each.parent?.label, 'web producer amqp')
    for (const each of consumers) assert.match(each.request ?? '', /^r\d+$/)
  })

  test('every call is made for a request, but for what the services do when they start', t => {
    if (!requires(t, ...requirements)) return
    const strays = truth.operations.filter(each => each.request === undefined).map(each => `${each.label} ${each.name}`)
    const kinds = new Set(strays.map(each => each.replace(/^\S+ /, '')))
    assert.deepEqual([...kinds].sort(), ['client mysql SET AUTOCOMMIT =', 'server http GET /health'])
  })

  test('an order that is placed is followed through every service', t => {
    if (!requires(t, ...requirements)) return
    const placed = load.records.find(each => each.name === 'POST /orders' && each.status === 201)!
    const labels = new Set(truth.operations.filter(each => each.request === placed.request).map(each => each.label))
    assert.deepEqual([...labels].sort(), [
      'nginx client http',
      'nginx server http',
      'stock client mysql',
      ...(labels.has('stock client redis') ? ['stock client redis'] : []),
      'stock server http',
      'web client memcached',
      'web client mysql',
      'web client redis',
      'web producer amqp',
      'web server http',
      'worker client http',
      'worker client mysql',
      'worker client redis',
      'worker consumer amqp',
    ])
  })

  test('when it stops, nothing of it is left', async t => {
    if (!requires(t, ...requirements)) return
    const { folder, running } = system!
    assert.ok(readdirSync(join(folder, 'pids')).length >= 9)
    await system!.stop()
    assert.deepEqual(
      running.filter(each => isAlive(each.identity)).map(each => each.name),
      [],
    )
    assert.equal(existsSync(folder), false)
  })
})

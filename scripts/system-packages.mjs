// Debian packages that are missing are installed by apt, when root; otherwise they are named.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runStep, StepError, say } from './progress.mjs'

const POLICY = '/usr/sbin/policy-rc.d'
const LISTS = '/var/lib/apt/lists'
const ATTEMPTS = 3

/** By a file of each: what builds the addon and the BPF objects. */
const BUILD = [
  { name: 'clang', file: '/usr/bin/clang' },
  { name: 'g++', file: '/usr/bin/g++' },
  { name: 'libbpf-dev', file: '/usr/include/bpf/libbpf.h' },
  { name: 'bpftool', file: '/usr/sbin/bpftool' },
]

/** What single tests and measurements use beyond the demo's servers. */
const MEASURE = [
  { name: 'wrk', file: '/usr/bin/wrk' },
  { name: 'curl', file: '/usr/bin/curl' },
  { name: 'openssl', file: '/usr/bin/openssl' },
  { name: 'postgresql', file: '/usr/share/postgresql-common/pg_wrapper' },
  { name: 'python3-psycopg2', file: '/usr/lib/python3/dist-packages/psycopg2/__init__.py' },
  { name: 'dnsmasq-base', file: '/usr/sbin/dnsmasq' },
  { name: 'bind9-dnsutils', file: '/usr/bin/dig' },
  { name: 'php-fpm', file: '/usr/sbin/php-fpm8.2' },
  { name: 'python3-pylibmc', file: '/usr/lib/python3/dist-packages/pylibmc/__init__.py' },
  { name: 'nghttp2-server', file: '/usr/sbin/nghttpd' },
  { name: 'nghttp2-client', file: '/usr/bin/nghttp' },
  { name: 'python3-eventlet', file: '/usr/lib/python3/dist-packages/eventlet/__init__.py' },
  { name: 'python3-gevent', file: '/usr/lib/python3/dist-packages/gevent/__init__.py' },
  { name: 'python3-waitress', file: '/usr/lib/python3/dist-packages/waitress/__init__.py' },
  { name: 'python3-aiohttp', file: '/usr/lib/python3/dist-packages/aiohttp/__init__.py' },
  { name: 'python3-uvicorn', file: '/usr/lib/python3/dist-packages/uvicorn/__init__.py' },
  { name: 'python3-httptools', file: '/usr/lib/python3/dist-packages/httptools/__init__.py' },
  { name: 'python3-uvloop', file: '/usr/lib/python3/dist-packages/uvloop/__init__.py' },
  { name: 'python3-fastapi', file: '/usr/lib/python3/dist-packages/fastapi/__init__.py' },
  { name: 'python3-oslo.messaging', file: '/usr/lib/python3/dist-packages/oslo_messaging/__init__.py' },
  { name: 'uwsgi-core', file: '/usr/bin/uwsgi-core' },
  { name: 'uwsgi-plugin-python3', file: '/usr/lib/uwsgi/plugins/python3_plugin.so' },
  { name: 'haproxy', file: '/usr/sbin/haproxy' },
  { name: 'chromium-headless-shell', file: '/usr/bin/chromium-headless-shell' },
  { name: 'openjdk-17-jdk-headless', file: '/usr/bin/javac' },
  { name: 'maven', file: '/usr/bin/mvn' },
  { name: 'python3-confluent-kafka', file: '/usr/lib/python3/dist-packages/confluent_kafka/__init__.py' },
  { name: 'tshark', file: '/usr/bin/tshark' },
  { name: 'wireshark-common', file: '/usr/bin/dumpcap' },
]

/** @param {{ measure?: boolean, openstack?: boolean }} needs openstack: the services of the OpenStack lab as well */
function wanted(root, needs) {
  const list = (...path) => JSON.parse(readFileSync(join(root, ...path), 'utf8'))
  const lab = needs.openstack ? list('test', 'openstack', 'packages.json') : []
  return [...BUILD, ...list('src', 'demo', 'services', 'packages.json'), ...(needs.measure ? MEASURE : []), ...lab]
}

function hasLists() {
  try {
    return readdirSync(LISTS).some(name => /_Packages(\.\w+)?$/.test(name))
  } catch {
    return false
  }
}

const ENVIRONMENT = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
const LOCK = ['-o', 'DPkg::Lock::Timeout=300', '-o', 'Acquire::Retries=3']

function updateLists() {
  return runStep('lists of Debian packages', 'apt-get', ['update', ...LOCK], { env: ENVIRONMENT })
}

async function install(names) {
  const keep = ['-o', 'Dpkg::Options::=--force-confdef', '-o', 'Dpkg::Options::=--force-confold']
  const args = ['install', '-y', '--no-install-recommends', ...LOCK, ...keep, ...names]
  if (names.length > 1) say(`set-up: missing Debian packages: ${names.join(' ')}`)
  const title = names.length > 1 ? `${names.length} Debian packages` : `Debian package ${names[0]}`
  await runStep(title, 'apt-get', args, { env: ENVIRONMENT })
}

function tolerate(problem, others) {
  if (!(problem instanceof StepError) || !others) throw problem
  say(`set-up: ${problem.message}`)
}

/** Daemons that a package would start are not wanted: the demo starts its own, on ports of their own. */
async function withoutDaemons(work) {
  if (existsSync(POLICY)) return work()
  const remove = () => rmSync(POLICY, { force: true })
  writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  process.once('exit', remove)
  try {
    return await work()
  } finally {
    remove()
    process.removeListener('exit', remove)
  }
}

/**
 * Installs what is missing.
 * @param {string} root the package's folder
 * @param {{ measure?: boolean, openstack?: boolean }} needs
 * @returns {Promise<string[]>} what is still missing afterwards
 */
export async function ensureSystemPackages(root, needs) {
  const missing = () =>
    wanted(root, needs)
      .filter(each => !existsSync(each.file))
      .map(each => each.name)
  if (missing().length === 0) return []
  if (process.getuid() !== 0 || !existsSync('/usr/bin/apt-get')) {
    const why = process.getuid() === 0 ? 'there is no apt-get here' : 'only root may install them'
    say(`set-up: these Debian packages are missing, and ${why}: ${missing().join(' ')}`)
    return missing()
  }
  await withoutDaemons(async () => {
    let updated = false
    for (let attempt = 1; attempt <= ATTEMPTS && missing().length > 0; attempt++) {
      try {
        // Old lists name versions that are gone from the mirrors: after a failure they are fetched anew.
        if (!updated && (attempt > 1 || !hasLists())) {
          await updateLists()
          updated = true
        }
        // In the end each by itself, so that one that cannot be had does not keep the others away.
        const together = attempt < ATTEMPTS ? [missing()] : missing().map(name => [name])
        for (const names of together) await install(names).catch(problem => tolerate(problem, together.length > 1))
      } catch (problem) {
        if (!(problem instanceof StepError)) throw problem
        say(`set-up: ${problem.message}`)
        if (attempt < ATTEMPTS) say(`set-up: trying again (${attempt + 1} of ${ATTEMPTS})`)
      }
    }
  })
  return missing()
}

// Builds the BPF objects (clang) and the addon (C++ compiler) when their sources are newer. Downloads nothing.
//
//   node scripts/build-native.mjs [--out DIR] [--force] [--quiet]
//
// Without --out the results lie in native/build and bpf/build; with it, all lie in DIR (for a package in a read-only
// place). BPF objects are CO-RE: built against one kernel's types, they load on others.
import { spawn } from 'node:child_process'
import { accessSync, constants, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const kernelTypes = '/sys/kernel/btf/vmlinux'
const searchPath = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/lib/llvm-14/bin']

/** Path of the first of these programs that is installed, or undefined. */
function findProgram(...names) {
  for (const name of names) {
    for (const directory of searchPath) {
      const path = join(directory, name)
      try {
        accessSync(path, constants.X_OK)
        return path
      } catch {}
    }
  }
  return undefined
}

function findNodeHeaders() {
  const candidates = []
  try {
    candidates.push(join(dirname(createRequire(join(root, 'package.json')).resolve('node-api-headers')), 'include'))
  } catch {}
  candidates.push(join(dirname(dirname(process.execPath)), 'include', 'node'), '/usr/include/node')
  return candidates.find(directory => existsSync(join(directory, 'node_api.h')))
}

/** What is missing, as {what, package}; empty when all can be built. */
export function missingTools() {
  const missing = []
  const need = (found, what, debian) => found || missing.push({ what, package: debian })
  need(findProgram('clang', 'clang-14'), 'the compiler clang', 'clang')
  need(findProgram('c++', 'g++', 'clang++'), 'a C++ compiler', 'g++')
  need(existsSync('/usr/include/bpf/libbpf.h'), 'the header bpf/libbpf.h', 'libbpf-dev')
  need(findProgram('bpftool'), 'the program bpftool', 'bpftool')
  if (!findNodeHeaders()) missing.push({ what: 'the header node_api.h', package: 'libnode-dev' })
  return missing
}

function newestOf(paths) {
  let newest = 0
  for (const path of paths) {
    const status = statSync(path)
    newest = Math.max(newest, status.isDirectory() ? newestOf(listSources(path)) : status.mtimeMs)
  }
  return newest
}

function listSources(directory) {
  return readdirSync(directory, { withFileTypes: true })
    .filter(entry => entry.name !== 'build')
    .map(entry => join(directory, entry.name))
}

const isCurrent = (output, sources) => existsSync(output) && statSync(output).mtimeMs >= newestOf(sources)

function run(program, args, stdout = 'inherit') {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', stdout, 'inherit'] })
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      if (code === 0) resolve()
      else reject(new Error(`${program} failed (${signal ?? `exit code ${code}`}): see its messages above`))
    })
  })
}

/** Runs `make(temporary)` and moves what it made into place as a whole: two builds at once do no harm. */
async function produce(output, make) {
  mkdirSync(dirname(output), { recursive: true })
  const temporary = `${output}.${process.pid}`
  try {
    await make(temporary)
    renameSync(temporary, output)
  } finally {
    rmSync(temporary, { force: true })
  }
}

async function writeKernelTypes(output) {
  if (!existsSync(kernelTypes)) {
    throw new Error(`this kernel has no BTF (${kernelTypes}): it needs CONFIG_DEBUG_INFO_BTF=y`)
  }
  const { openSync, closeSync } = await import('node:fs')
  await produce(output, async temporary => {
    const file = openSync(temporary, 'w')
    try {
      await run(findProgram('bpftool'), ['btf', 'dump', 'file', kernelTypes, 'format', 'c'], file)
    } finally {
      closeSync(file)
    }
  })
}

async function buildBpf(source, output, includes) {
  await produce(output, temporary =>
    run(findProgram('clang', 'clang-14'), [
      ...['-target', 'bpf', '-mcpu=v3', '-O2', '-g', '-D__TARGET_ARCH_x86', `-I${includes}`],
      ...['-Wall', '-Wextra', '-Werror', '-Wno-unused-parameter', '-Wno-missing-declarations'],
      ...['-c', join(root, 'bpf/capture', source), '-o', temporary],
    ]),
  )
}

async function buildAddon(output) {
  const sources = listSources(join(root, 'native/src')).filter(path => path.endsWith('.cc'))
  await produce(output, temporary =>
    run(findProgram('c++', 'g++', 'clang++'), [
      ...['-std=c++17', '-O2', '-fPIC', '-shared', '-fvisibility=hidden', '-fno-exceptions', '-Wall', '-Wextra'],
      ...['-DNAPI_VERSION=8', '-DNODE_GYP_MODULE_NAME=ghostspan', `-isystem${findNodeHeaders()}`],
      ...[...sources, '-o', temporary, '-lbpf'],
    ]),
  )
}

/**
 * Builds what is out of date. Returns the paths. Throws an Error that says what to install when a tool is missing.
 */
export async function buildNative({ out, force = false, log = () => {} } = {}) {
  const bpfDirectory = out ?? join(root, 'bpf/build')
  const addon = join(out ?? join(root, 'native/build'), 'ghostspan.node')
  const objects = [
    ['capture.bpf.c', join(bpfDirectory, 'capture.bpf.o')],
    ['capture-system-calls.bpf.c', join(bpfDirectory, 'capture-system-calls.bpf.o')],
  ]
  const types = join(bpfDirectory, 'vmlinux.h')
  const self = fileURLToPath(import.meta.url)
  const addonCurrent = !force && isCurrent(addon, [join(root, 'native/src'), self])
  const bpfSources = [...listSources(join(root, 'bpf')), self]
  const bpfCurrent = !force && objects.every(([, output]) => isCurrent(output, bpfSources))
  if (addonCurrent && bpfCurrent) {
    log('addon and BPF objects are up to date')
    return { addon, bpf: objects.map(([, output]) => output) }
  }
  if (process.arch !== 'x64') throw new Error(`live capture is built for x86-64 only, this is ${process.arch}`)
  const missing = missingTools()
  if (missing.length > 0) {
    const what = missing.map(({ what }) => what).join(', ')
    const packages = [...new Set(missing.map(entry => entry.package))].join(' ')
    throw new Error(`missing: ${what}. On Debian and Ubuntu: apt-get install ${packages}`)
  }
  if (!bpfCurrent) {
    if (force || !existsSync(types)) {
      log(`1/3 kernel types -> ${relative(process.cwd(), types)}`)
      await writeKernelTypes(types)
    }
    for (const [source, output] of objects) {
      log(`2/3 BPF programs -> ${relative(process.cwd(), output)}`)
      await buildBpf(source, output, bpfDirectory)
    }
  }
  if (!addonCurrent) {
    log(`3/3 addon        -> ${relative(process.cwd(), addon)}`)
    await buildAddon(addon)
  }
  return { addon, bpf: objects.map(([, output]) => output) }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const args = process.argv.slice(2)
  const at = args.indexOf('--out')
  const out = at === -1 ? undefined : args[at + 1]
  const log = args.includes('--quiet') ? () => {} : line => console.error(`build-native: ${line}`)
  try {
    if (at !== -1 && out === undefined) throw new Error('--out needs a directory')
    const built = await buildNative({ out, force: args.includes('--force'), log })
    log(`done: ${[built.addon, ...built.bpf].join(', ')}`)
  } catch (error) {
    const readOnly = ['EACCES', 'EROFS'].includes(error.code) && out === undefined
    console.error(`build-native: ${error.message}${readOnly ? '. Use --out DIR for another place' : ''}`)
    process.exitCode = 1
  }
}

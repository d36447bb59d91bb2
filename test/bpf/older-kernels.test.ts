import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { nativePaths } from '../../src/capture/native-addon.js'
import { file, requires } from '../support/requirements.js'

/**
 * Helpers by number (enum bpf_func_id, uapi/linux/bpf.h) and the Linux 5.x that brought them to tracing programs, 0 for
 * what is older: all that the capture for older kernels may call.
 */
const HELPERS: Readonly<Record<number, readonly [name: string, minor: number]>> = {
  1: ['map_lookup_elem', 0],
  2: ['map_update_elem', 0],
  3: ['map_delete_elem', 0],
  5: ['ktime_get_ns', 0],
  14: ['get_current_pid_tgid', 0],
  87: ['map_push_elem', 0],
  88: ['map_pop_elem', 0],
  112: ['probe_read_user', 5],
  113: ['probe_read_kernel', 5],
  127: ['seq_write', 7],
  130: ['ringbuf_output', 8],
  131: ['ringbuf_reserve', 8],
  132: ['ringbuf_submit', 8],
  156: ['task_storage_get', 11],
  158: ['get_current_task_btf', 11],
  175: ['task_pt_regs', 15],
}
/** Looked for at load (bpf_core_enum_value_exists): bpf/lib/call_registers.h does without it before. */
const GUARDED = [175]
const SOCKET_STORAGE_GET = 107

const CALL = 0x85
const EXECUTABLE = 4n
const SYMBOL_TABLE = 2

interface Section {
  readonly type: number
  readonly flags: bigint
  readonly start: number
  readonly end: number
  readonly link: number
}

/** ELF64, little endian. */
function sectionsOf(object: Buffer): Section[] {
  const table = Number(object.readBigUInt64LE(40))
  return Array.from({ length: object.readUInt16LE(60) }, (_, index) => {
    const at = table + index * 64
    const start = Number(object.readBigUInt64LE(at + 24))
    const end = start + Number(object.readBigUInt64LE(at + 32))
    const [type, link] = [object.readUInt32LE(at + 4), object.readUInt32LE(at + 40)]
    return { type, flags: object.readBigUInt64LE(at + 8), start, end, link }
  })
}

/** Numbers of the helpers that the programs of an object call. */
function helpersOf(object: Buffer): number[] {
  const helpers = new Set<number>()
  for (const { flags, start, end } of sectionsOf(object)) {
    if ((flags & EXECUTABLE) === 0n) continue
    for (let at = start; at < end; at += 8) {
      if (object[at] === CALL && object[at + 1]! >> 4 === 0) helpers.add(object.readInt32LE(at + 4))
    }
  }
  return [...helpers]
}

/** Names that the kernel is to bring along: its own functions (kfuncs). */
function kernelNamesOf(object: Buffer): string[] {
  const sections = sectionsOf(object)
  const symbols = sections.find(({ type }) => type === SYMBOL_TABLE)!
  const names: string[] = []
  for (let at = symbols.start + 24; at < symbols.end; at += 24) {
    if (object.readUInt16LE(at + 6) !== 0) continue
    const name = sections[symbols.link]!.start + object.readUInt32LE(at)
    names.push(object.toString('latin1', name, object.indexOf(0, name)))
  }
  return names
}

test('the capture for older kernels calls nothing that Linux 5.14 lacks', t => {
  const { bpfSystemCalls } = nativePaths()
  if (!requires(t, file(bpfSystemCalls, 'the BPF object (npm run build:native)'))) return
  const object = readFileSync(bpfSystemCalls)
  const helpers = helpersOf(object)
  assert.ok(helpers.length > 5)
  const younger = helpers.filter(helper => (HELPERS[helper]?.[1] ?? Number.POSITIVE_INFINITY) > 14)
  assert.deepEqual(
    younger.filter(helper => !GUARDED.includes(helper)),
    [],
  )
  assert.deepEqual(kernelNamesOf(object), [])
})

test('the usual capture does use what older kernels lack, so the check is no empty one', t => {
  const { bpf } = nativePaths()
  if (!requires(t, file(bpf, 'the BPF object (npm run build:native)'))) return
  const object = readFileSync(bpf)
  assert.ok(helpersOf(object).includes(SOCKET_STORAGE_GET))
  assert.deepEqual(kernelNamesOf(object), ['bpf_rdonly_cast'])
})

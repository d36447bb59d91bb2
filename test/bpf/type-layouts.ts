import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../../src/capture/native-addon.js'

export interface StructLayout {
  readonly bytes: number
  /** Offset in bytes by member name. */
  readonly offsets: Readonly<Record<string, number>>
}

export interface TypeLayouts {
  readonly structs: Readonly<Record<string, StructLayout>>
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>
}

interface BtfType {
  readonly kind: string
  readonly name: string
  readonly size?: number
  readonly members?: readonly { readonly name: string; readonly bits_offset: number }[]
  readonly values?: readonly { readonly name: string; readonly val: number }[]
}

/** The C types of test/bpf/layouts.c as the compiler laid them out for BPF, read from BTF by bpftool. */
export function readTypeLayouts(): TypeLayouts {
  const folder = mkdtempSync(join(tmpdir(), 'ghostspan-test-'))
  try {
    const object = join(folder, 'layouts.o')
    const source = join(packageRoot(), 'test/bpf/layouts.c')
    const include = '/usr/include/x86_64-linux-gnu'
    run('clang', ['-target', 'bpf', '-g', '-O2', '-Wpadded', '-Werror', `-I${include}`, '-c', source, '-o', object])
    const dump = JSON.parse(run('bpftool', ['btf', 'dump', 'file', object, '-j'])) as { types: readonly BtfType[] }
    return {
      structs: Object.fromEntries(
        dump.types.filter(type => type.kind === 'STRUCT').map(type => [type.name, layoutOf(type)]),
      ),
      enums: Object.fromEntries(
        dump.types
          .filter(type => type.kind === 'ENUM')
          .map(type => [type.name, Object.fromEntries(type.values!.map(({ name, val }) => [name, val]))]),
      ),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function layoutOf(type: BtfType): StructLayout {
  return {
    bytes: type.size!,
    offsets: Object.fromEntries(type.members!.map(member => [member.name, member.bits_offset / 8])),
  }
}

function run(command: string, args: readonly string[]): string {
  const path = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`
  const result = spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, PATH: path } })
  if (result.status !== 0) throw new Error(`${command}: ${result.error?.message ?? result.stderr}`)
  return result.stdout
}

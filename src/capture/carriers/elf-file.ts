import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

/** ELF-64, little endian (System V gABI, chapters 4 and 5). Only what is asked for is read from the file. */
export interface ElfFile {
  readonly segments: readonly ElfSegment[]
  /** Addresses (as in the file, before relocation) and sizes of symbols, of the dynamic table or the full one. */
  symbols(names: readonly string[]): ReadonlyMap<string, ElfSymbol>
  symbol(name: string): ElfSymbol | undefined
  /** Relocations with addend of the given type (R_X86_64_…), in the file's order. */
  relocations(type: number): readonly ElfRelocation[]
  section(name: string): ElfSection | undefined
  /** Bytes at an address of the file, as they are before relocation; shorter where the file ends. */
  bytesAt(address: number, length: number): Buffer
  /** Where an address lies in the file; undefined for what has no bytes there (.bss) or is not loaded. */
  fileOffset(address: number): number | undefined
  /** NT_GNU_BUILD_ID in hexadecimal, '' where there is none. */
  readonly buildId: string
  close(): void
}

export interface ElfSegment {
  readonly type: number
  readonly flags: number
  readonly offset: number
  readonly address: number
  readonly fileBytes: number
  readonly memoryBytes: number
}

export interface ElfSection {
  readonly name: string
  readonly type: number
  readonly address: number
  readonly offset: number
  readonly bytes: number
  readonly link: number
}

export interface ElfSymbol {
  readonly address: number
  readonly bytes: number
}

export interface ElfRelocation {
  readonly offset: number
  readonly addend: number
}

export const ElfType = { load: 1, tls: 7 } as const
const SECTION = { symbols: 2, rela: 4, note: 7, noBits: 8, dynamicSymbols: 11 } as const
const SYMBOL_BYTES = 24
const RELOCATION_BYTES = 24
/** Larger tables are taken for damage. */
const LARGEST_TABLE = 256 * 1024 * 1024
const MOST_HEADERS = 10_000

/** What makes a file unreadable here; expected of hostile or foreign files. */
export class ElfError extends Error {
  readonly code = 'GHOSTSPAN_ELF'
}

/** Opens an ELF file. Throws ElfError when it is none, or not one of this kind, and what node:fs throws. */
export function openElf(path: string): ElfFile {
  const file = openSync(path, 'r')
  try {
    return readElf(file, path)
  } catch (error) {
    closeSync(file)
    throw error
  }
}

function readElf(file: number, path: string): ElfFile {
  const size = fstatSync(file).size
  const read = (offset: number, length: number): Buffer => {
    if (offset < 0 || length < 0 || length > LARGEST_TABLE) throw new ElfError(`${path}: damaged ELF tables`)
    const bytes = Buffer.alloc(Math.max(0, Math.min(length, size - offset)))
    const got = bytes.length === 0 ? 0 : readSync(file, bytes, 0, bytes.length, offset)
    return bytes.subarray(0, got)
  }
  const header = read(0, 64)
  if (header.length < 64 || header.toString('latin1', 0, 4) !== '\x7fELF' || header[4] !== 2 || header[5] !== 1) {
    throw new ElfError(`${path}: not a 64-bit little-endian ELF file`)
  }
  const segments = readSegments(header, read)
  const sections = readSections(header, read)
  const contentOf = (section: ElfSection | undefined): Buffer =>
    section === undefined || section.type === SECTION.noBits ? Buffer.alloc(0) : read(section.offset, section.bytes)
  const fileOffset = (address: number): number | undefined => {
    const segment = segments.find(
      each => each.type === ElfType.load && address >= each.address && address < each.address + each.fileBytes,
    )
    return segment === undefined ? undefined : address - segment.address + segment.offset
  }
  const symbols = (names: readonly string[]): Map<string, ElfSymbol> => {
    const found = new Map<string, ElfSymbol>()
    for (const type of [SECTION.dynamicSymbols, SECTION.symbols]) {
      const missing = names.filter(name => !found.has(name))
      const table = sections.find(section => section.type === type)
      if (missing.length === 0 || table === undefined) continue
      findSymbols(contentOf(table), contentOf(sections[table.link]), missing, found)
    }
    return found
  }
  return {
    segments,
    symbols,
    symbol: name => symbols([name]).get(name),
    relocations: type =>
      sections.filter(section => section.type === SECTION.rela).flatMap(each => findRelocations(contentOf(each), type)),
    section: name => sections.find(section => section.name === name),
    bytesAt: (address, length) => {
      const offset = fileOffset(address)
      return offset === undefined ? Buffer.alloc(0) : read(offset, length)
    },
    fileOffset,
    get buildId() {
      return buildIdOf(contentOf(sections.find(section => section.name === '.note.gnu.build-id')))
    },
    close: () => closeSync(file),
  }
}

type Read = (offset: number, length: number) => Buffer

const u64 = (bytes: Buffer, at: number): number => Number(bytes.readBigUInt64LE(at))

function readSegments(header: Buffer, read: Read): ElfSegment[] {
  const entry = header.readUInt16LE(54)
  const count = header.readUInt16LE(56)
  if (entry < 56) return []
  const table = read(u64(header, 32), entry * count)
  const segments: ElfSegment[] = []
  for (let at = 0; at + entry <= table.length; at += entry) {
    segments.push({
      type: table.readUInt32LE(at),
      flags: table.readUInt32LE(at + 4),
      offset: u64(table, at + 8),
      address: u64(table, at + 16),
      fileBytes: u64(table, at + 32),
      memoryBytes: u64(table, at + 40),
    })
  }
  return segments
}

function readSections(header: Buffer, read: Read): ElfSection[] {
  const entry = header.readUInt16LE(58)
  const count = header.readUInt16LE(60)
  const namesIndex = header.readUInt16LE(62)
  const start = u64(header, 40)
  if (entry < 64 || start === 0 || count > MOST_HEADERS) return []
  const table = read(start, entry * count)
  const field = (index: number, at: number): number => u64(table, index * entry + at)
  const whole = Math.floor(table.length / entry)
  const names = namesIndex < whole ? read(field(namesIndex, 24), field(namesIndex, 32)) : Buffer.alloc(0)
  return Array.from({ length: whole }, (_, index) => ({
    name: textAt(names, table.readUInt32LE(index * entry)),
    type: table.readUInt32LE(index * entry + 4),
    address: field(index, 16),
    offset: field(index, 24),
    bytes: field(index, 32),
    link: table.readUInt32LE(index * entry + 40),
  }))
}

function textAt(bytes: Buffer, start: number): string {
  const end = bytes.indexOf(0, start)
  return start >= bytes.length ? '' : bytes.toString('latin1', start, end < 0 ? bytes.length : end)
}

/** Looks the names up among the strings first, so that no string is made of the (perhaps 100,000) others. */
function findSymbols(table: Buffer, strings: Buffer, names: readonly string[], found: Map<string, ElfSymbol>): void {
  const nameAt = new Map<number, string>()
  for (const name of names) {
    // Linkers share tails: a name may begin inside a longer one.
    const wanted = Buffer.from(`${name}\0`, 'latin1')
    for (let at = strings.indexOf(wanted); at >= 0; at = strings.indexOf(wanted, at + 1)) nameAt.set(at, name)
  }
  if (nameAt.size === 0) return
  for (let at = 0; at + SYMBOL_BYTES <= table.length; at += SYMBOL_BYTES) {
    const name = nameAt.get(table.readUInt32LE(at))
    if (name === undefined || found.has(name)) continue
    const address = u64(table, at + 8)
    if (address !== 0) found.set(name, { address, bytes: u64(table, at + 16) })
  }
}

function findRelocations(table: Buffer, type: number): ElfRelocation[] {
  const found: ElfRelocation[] = []
  for (let at = 0; at + RELOCATION_BYTES <= table.length; at += RELOCATION_BYTES) {
    if (table.readUInt32LE(at + 8) !== type) continue
    found.push({ offset: u64(table, at), addend: Number(table.readBigInt64LE(at + 16)) })
  }
  return found
}

function buildIdOf(note: Buffer): string {
  if (note.length < 16) return ''
  const start = 12 + ((note.readUInt32LE(0) + 3) & ~3)
  return note.toString('hex', start, start + note.readUInt32LE(4))
}

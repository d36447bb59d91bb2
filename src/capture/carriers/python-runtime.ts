import type { ElfFile } from './elf-file.js'
import type { MappedFile } from './mapped-files.js'
import type { ProcessImage } from './process-image.js'

/** CPython as it is mapped in a process. */
export interface PythonRuntime {
  readonly file: MappedFile
  readonly elf: ElfFile
  /** Minor version: 11 of 3.11. */
  readonly minor: number
  /** PY_VERSION_HEX's last byte is 0xf0: no alpha, beta or candidate. Unknown before 3.11: true. */
  readonly isFinal: boolean
  /** Built without the global lock: other structures. */
  readonly isFreeThreaded: boolean
}

const LIBRARY = /^libpython3\.\d+\w*\.so/
const PROGRAM = /^python3(\.\d+)?\w*$/
/** What only CPython loads, whatever the program is called. */
const EXTENSION = /\.cpython-3\d+\w*-.*\.so$/

export function isPythonName(path: string): boolean {
  return /(^|\/)(python3?(\.\d+)?\w*|uwsgi(-core)?|gunicorn|pypy3?)$/.test(path)
}

export function hasPython(image: ProcessImage): boolean {
  return findFile(image) !== undefined
}

function findFile(image: ProcessImage): MappedFile | undefined {
  const found = image.find(LIBRARY) ?? image.find(PROGRAM)
  if (found !== undefined) return found
  return image.find(EXTENSION) === undefined ? undefined : image.files[0]
}

/** The interpreter of a process; a reason in words where none can be read. */
export function findPython(image: ProcessImage): PythonRuntime | string {
  const file = findFile(image)
  if (file === undefined) return 'no CPython is mapped'
  const elf = image.elf(file)
  if (elf === undefined) return `${file.path} cannot be read`
  const version = elf.symbol('Py_Version')
  const hex = version === undefined ? undefined : elf.bytesAt(version.address, 4)
  const named = /3\.(\d+)/.exec(file.name) ?? /python3\.(\d+)/.exec(file.path)
  const word = hex?.length === 4 ? hex.readUInt32LE(0) : 0
  const minor = word !== 0 ? (word >>> 16) & 0xff : Number(named?.[1] ?? 0)
  if (minor === 0) return `${file.path} does not tell its version`
  return {
    file,
    elf,
    minor,
    isFinal: word === 0 || (word & 0xf0) === 0xf0,
    isFreeThreaded: /3\.\d+t/.test(file.name),
  }
}

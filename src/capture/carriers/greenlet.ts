import type { ProcessInfo } from '../process-info.js'
import type { CarrierKind, ProbeSite, Resolution } from './carrier-kind.js'
import { CarrierBit, GREENLET_LAYOUT, PYTHON_LAYOUT } from './carrier-layout.js'
import type { ElfFile } from './elf-file.js'
import { ElfType } from './elf-file.js'
import type { MappedFile } from './mapped-files.js'
import type { ProcessImage } from './process-image.js'
import { hasPython, isPythonName } from './python-runtime.js'
import { findThreadLibrary, type ThreadLibrary } from './thread-library.js'

/** R_X86_64_…, System V ABI for x86-64, table 4.9. */
const RELATIVE = 8
const DTPMOD64 = 16
/** PyTypeObject.tp_init, 64-bit, CPython 3.5 and later (Include/cpython/object.h). */
const TP_INIT = 296
const OBJECT_TYPE = 8
const LIBRARY = /^_greenlet\..*so$/

/**
 * greenlet 2.0 and later, hence eventlet and gevent: bpf/lib/carriers/greenlet.h says what the kernel reads. Works on a
 * stripped library: its exported type object, the one TLS relocation, and the relocation that fills tp_init.
 */
export const greenletKind: CarrierKind = {
  name: 'greenlet',
  bit: CarrierBit.greenlet,
  suspects: (info: ProcessInfo) => isPythonName(info.exe),
  detect: image => {
    if (image.find(LIBRARY) !== undefined) return 'yes'
    return hasPython(image) ? 'later' : 'no'
  },
  resolve,
}

function resolve(image: ProcessImage): Resolution {
  const file = image.find(LIBRARY)
  const elf = file === undefined ? undefined : image.elf(file)
  if (file === undefined || elf === undefined) return unsupported('_greenlet cannot be read')
  const library = findThreadLibrary(image)
  if (typeof library === 'string') return unsupported(library)
  const type = elf.symbol('PyGreenlet_Type')
  if (type === undefined) return unsupported(`${file.path} does not export PyGreenlet_Type`)
  const storage = elf.segments.find(segment => segment.type === ElfType.tls)
  const slots = elf.relocations(DTPMOD64)
  if (storage === undefined || slots.length !== 1) {
    return unsupported(`${file.path} keeps no state per thread that is known here (greenlet before 2.0?)`)
  }
  const birth = birthProbe(file, elf, type.address)
  if (birth === undefined) return unsupported(`${file.path}: where greenlets are made cannot be found`)
  const bias = image.bias(file)
  // What the loader wrote there; 0 until it has relocated the library.
  const module = image.memory.word(bias + slots[0]!.offset) ?? 0
  if (module === 0) return { state: 'pending', reason: '_greenlet is being loaded' }
  if (module > 4096) return unsupported(`${file.path}: TLS module ${module} cannot be`)
  const address = bias + type.address
  const check = checkThreads(image, { library, module, type: address })
  const usual = storage.memoryBytes >= 16 ? 8 : 0
  const stateOffset = check.offset ?? usual
  return {
    state: 'resolved',
    detail: `${file.path}; checked in ${check.threads} threads`,
    probes: [birth],
    fill: layout => {
      const at = PYTHON_LAYOUT.greenlet
      layout.setBigUint64(at + GREENLET_LAYOUT.type, BigInt(address), true)
      layout.setBigUint64(at + GREENLET_LAYOUT.module, BigInt(module), true)
      layout.setUint32(at + GREENLET_LAYOUT.stateOffset, stateOffset, true)
      layout.setUint32(at + GREENLET_LAYOUT.vectorOffset, library.vectorOffset, true)
      layout.setUint32(at + GREENLET_LAYOUT.vectorEntry, library.vectorEntry, true)
    },
  }
}

function birthProbe(file: MappedFile, elf: ElfFile, type: number): ProbeSite | undefined {
  const init = elf.relocations(RELATIVE).find(relocation => relocation.offset === type + TP_INIT)?.addend
  const offset = init === undefined ? undefined : elf.fileOffset(init)
  if (offset === undefined) return undefined
  return { program: 'greenlet_born', path: file.openPath, fileKey: file.key, offset, atReturn: false }
}

interface Wanted {
  readonly library: ThreadLibrary
  readonly module: number
  readonly type: number
}

/**
 * Walks, from outside, the way that the kernel will take: in which word of the thread's block is the state whose main
 * greenlet is a greenlet? `threads` counts those that have one; none is no error, the kernel checks each for itself.
 */
function checkThreads(image: ProcessImage, wanted: Wanted): { offset: number | undefined; threads: number } {
  const { library, module, type } = wanted
  const { memory } = image
  const hits = new Map<number, number>()
  for (const thread of image.threads()) {
    const vector = memory.word(thread.address + library.vectorOffset)
    const block = vector === undefined ? undefined : memory.word(vector + module * library.vectorEntry)
    if (block === undefined || block === 0 || block > Number.MAX_SAFE_INTEGER) continue
    for (const offset of [8, 0]) {
      const state = memory.word(block + offset) ?? 0
      const main = state > 1 ? (memory.word(state) ?? 0) : 0
      if (main !== 0 && memory.word(main + OBJECT_TYPE) === type) hits.set(offset, (hits.get(offset) ?? 0) + 1)
    }
  }
  const [best] = [...hits].sort((a, b) => b[1] - a[1])
  return { offset: best?.[0], threads: best?.[1] ?? 0 }
}

const unsupported = (reason: string): Resolution => ({ state: 'unsupported', reason })

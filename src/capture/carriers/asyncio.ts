import type { ProcessInfo } from '../process-info.js'
import type { CarrierKind, Resolution } from './carrier-kind.js'
import { ASYNCIO_LAYOUT, CarrierBit, PYTHON_LAYOUT } from './carrier-layout.js'
import type { ProcessImage } from './process-image.js'
import { findPython, hasPython, isPythonName } from './python-runtime.js'
import { findThreadLibrary, type ThreadLibrary } from './thread-library.js'

/**
 * Offsets in PyThreadState (Include/cpython/pystate.h), final releases on x86-64, from a compiled offsetof; every use is
 * checked, here and by the kernel. `key`: of autoTSSkey.key in _PyRuntime, which only breaks ties.
 */
const VERSIONS: Readonly<Record<number, { threadId: number; context: number; key: number }>> = {
  9: { threadId: 0xb0, context: 0xf0, key: 0x24c },
  10: { threadId: 0xb0, context: 0xf0, key: 0x24c },
  11: { threadId: 0x98, context: 0xe0, key: 0x254 },
  12: { threadId: 0x88, context: 0xd0, key: 0x60c },
  13: { threadId: 0x98, context: 0xd0, key: 0x874 },
}
/** Keys of glibc's first block, and bytes of {sequence, data}. */
const KEYS = 32
const KEY_BYTES = 16
const OBJECT_TYPE = 8

/**
 * asyncio, uvloop, anyio: bpf/lib/carriers/asyncio.h says what the kernel reads. Births come from the one exported
 * function that every task and callback goes through.
 */
export const asyncioKind: CarrierKind = {
  name: 'asyncio',
  bit: CarrierBit.asyncio,
  suspects: (info: ProcessInfo) => isPythonName(info.exe),
  detect,
  resolve,
}

function detect(image: ProcessImage): 'yes' | 'later' | 'no' {
  if (image.find(/^_asyncio\.cpython-/) !== undefined) return 'yes'
  if (!hasPython(image)) return 'no'
  // Linked into the interpreter, nothing tells when it is imported.
  const python = findPython(image)
  return typeof python !== 'string' && python.elf.symbol('PyInit__asyncio') !== undefined ? 'yes' : 'later'
}

function resolve(image: ProcessImage): Resolution {
  const python = findPython(image)
  if (typeof python === 'string') return unsupported(python)
  const { file, elf, minor } = python
  const version = VERSIONS[minor]
  if (version === undefined) return unsupported(`CPython 3.${minor} is not known here (3.9 to 3.13 are)`)
  if (!python.isFinal) return unsupported(`${file.path} is a pre-release of CPython 3.${minor}`)
  if (python.isFreeThreaded) return unsupported(`${file.path} is a free-threaded CPython`)
  const symbols = elf.symbols(['PyContext_CopyCurrent', 'PyContext_Type', '_PyRuntime'])
  const copy = symbols.get('PyContext_CopyCurrent')
  const type = symbols.get('PyContext_Type')
  const offset = copy === undefined ? undefined : elf.fileOffset(copy.address)
  if (type === undefined || offset === undefined) {
    return unsupported(`${file.path} exports neither PyContext_CopyCurrent nor PyContext_Type (static or stripped?)`)
  }
  const library = findThreadLibrary(image)
  if (typeof library === 'string') return unsupported(library)
  const bias = image.bias(file)
  const runtime = symbols.get('_PyRuntime')
  const told = runtime === undefined ? undefined : image.memory.number32(bias + runtime.address + version.key)
  const { key, threads } = findKey(image, library, version.threadId, told)
  if (key === undefined) return { state: 'pending', reason: `no thread has a CPython 3.${minor} thread state (yet)` }
  const contextType = bias + type.address
  const wrong = wrongContext(image, library, key, version.context, contextType)
  if (wrong) return unsupported(`${file.path}: PyThreadState.context is not where CPython 3.${minor} has it`)
  return {
    state: 'resolved',
    detail: `CPython 3.${minor}, ${file.path}; checked in ${threads} threads`,
    probes: [{ program: 'context_copied', path: file.openPath, fileKey: file.key, offset, atReturn: true }],
    fill: layout => {
      const at = PYTHON_LAYOUT.asyncio
      layout.setBigUint64(at + ASYNCIO_LAYOUT.contextType, BigInt(contextType), true)
      layout.setUint32(at + ASYNCIO_LAYOUT.key, key, true)
      layout.setUint32(at + ASYNCIO_LAYOUT.specificOffset, library.specificOffset, true)
      layout.setUint32(at + ASYNCIO_LAYOUT.threadId, version.threadId, true)
      layout.setUint32(at + ASYNCIO_LAYOUT.context, version.context, true)
    },
  }
}

/** The pthread key whose value has the thread's own pthread_self() where PyThreadState has it. */
function findKey(
  image: ProcessImage,
  library: ThreadLibrary,
  threadId: number,
  told: number | undefined,
): { key: number | undefined; threads: number } {
  const hits = new Map<number, number>()
  for (const thread of image.threads()) {
    for (let key = 0; key < KEYS; key++) {
      const state = threadState(image, library, thread.address, key)
      if (state !== 0 && image.memory.word(state + threadId) === thread.address) {
        hits.set(key, (hits.get(key) ?? 0) + 1)
      }
    }
  }
  const best = [...hits].sort((a, b) => b[1] - a[1] || Number(b[0] === told) - Number(a[0] === told))[0]
  const key = told !== undefined && hits.has(told) ? told : best?.[0]
  return { key, threads: key === undefined ? 0 : hits.get(key)! }
}

function threadState(image: ProcessImage, library: ThreadLibrary, thread: number, key: number): number {
  const block = image.memory.word(thread + library.specificOffset) ?? 0
  if (block === 0) return 0
  const state = image.memory.word(block + KEY_BYTES * key + 8) ?? 0
  return state > Number.MAX_SAFE_INTEGER ? 0 : state
}

/** A Context may end while it is looked at: only what is wrong every time is wrong. */
const LOOKS = 5

/** True if some thread has something else than a Context there. */
function wrongContext(
  image: ProcessImage,
  library: ThreadLibrary,
  key: number,
  context: number,
  contextType: number,
): boolean {
  const isWrong = (thread: number): boolean => {
    const state = threadState(image, library, thread, key)
    const at = state === 0 ? 0 : (image.memory.word(state + context) ?? 0)
    return at !== 0 && image.memory.word(at + OBJECT_TYPE) !== contextType
  }
  return image.threads().some(({ address }) => {
    for (let look = 0; look < LOOKS; look++) if (!isWrong(address)) return false
    return true
  })
}

const unsupported = (reason: string): Resolution => ({ state: 'unsupported', reason })

import { readFileSync } from 'node:fs'
import type { CarrierKind, Resolution } from './carrier-kind.js'
import { CarrierBit } from './carrier-layout.js'
import type { MappedFile } from './mapped-files.js'
import type { ProcessImage } from './process-image.js'
import { findPython } from './python-runtime.js'

/**
 * From this minor version of uvloop 0.x on a transport is known to write at once, in the task that asks for it (0.23 was
 * tried; 0.17 and 0.18 gather). With a version in between that does so too, no writer joins the queue, and all is as in it.
 */
const WRITES_AT_ONCE = 23

/**
 * uvloop beside asyncio. It reads outside of any task, which user space has to know; older ones also gather what
 * their tasks write: bpf/lib/carriers/uvloop.h says how their writers are found.
 */
export const uvloopKind: CarrierKind = {
  name: 'uvloop',
  bit: CarrierBit.uvloop,
  suspects: () => false,
  detect: image => (findLoop(image) === undefined ? 'no' : 'yes'),
  resolve,
}

const findLoop = (image: ProcessImage): MappedFile | undefined =>
  image.files.find(file => /\/uvloop\/loop\.[^/]*so$/.test(file.path))

function resolve(image: ProcessImage): Resolution {
  const version = versionOf(findLoop(image)!)
  if (version !== undefined && (version.major > 0 || version.minor >= WRITES_AT_ONCE)) {
    return {
      state: 'resolved',
      detail: `uvloop ${version.major}.${version.minor} writes at once`,
      idle: true,
      fill: () => {},
      probes: [],
    }
  }
  const python = findPython(image)
  if (typeof python === 'string') return { state: 'unsupported', reason: python }
  const { file, elf } = python
  const add = elf.symbol('PySet_Add')
  const offset = add === undefined ? undefined : elf.fileOffset(add.address)
  if (offset === undefined) return { state: 'unsupported', reason: `${file.path} does not export PySet_Add` }
  return {
    state: 'resolved',
    detail: `uvloop ${version === undefined ? 'of an unknown version' : `0.${version.minor}`} gathers writes`,
    fill: () => {},
    probes: [{ program: 'write_queued', path: file.openPath, fileKey: file.key, offset, atReturn: false }],
  }
}

/** uvloop/_version.py beside the library. */
function versionOf(file: MappedFile): { major: number; minor: number } | undefined {
  try {
    const text = readFileSync(file.openPath.replace(/loop\.[^/]*$/, '_version.py'), 'utf8')
    const found = /__version__\s*=\s*['"](\d+)\.(\d+)/.exec(text)
    return found === null ? undefined : { major: Number(found[1]), minor: Number(found[2]) }
  } catch {
    return undefined
  }
}

import type { ProcessImage } from './process-image.js'

/**
 * Where the C library keeps a thread's own storage. glibc describes itself for debuggers (nptl_db, symbols
 * _thread_db_…, exported also when stripped) as {bits, count, offset}: no table of versions is needed.
 */
export interface ThreadLibrary {
  /** Thread pointer + this: first level of pthread keys. */
  readonly specificOffset: number
  /** Thread pointer + this: address of the dtv … */
  readonly vectorOffset: number
  /** … and bytes of one of its entries. */
  readonly vectorEntry: number
}

/** A reason in words where there is none that is known. */
export function findThreadLibrary(image: ProcessImage): ThreadLibrary | string {
  const file = image.find(/^libc\.so\.6$|^libc-2\.\d+\.so$/)
  if (file === undefined) {
    const musl = image.find(/^ld-musl-|^libc\.musl-/) !== undefined
    return musl ? 'its C library is musl, which does not say where threads keep their storage' : 'no glibc is mapped'
  }
  const elf = image.elf(file)
  if (elf === undefined) return `${file.path} cannot be read`
  const field = (name: string, index: number): number | undefined => {
    const symbol = elf.symbol(`_thread_db_${name}`)
    const bytes = symbol === undefined ? undefined : elf.bytesAt(symbol.address, 12)
    return bytes?.length === 12 ? bytes.readInt32LE(4 * index) : undefined
  }
  const specificOffset = field('pthread_specific', 2)
  const vectorOffset = field('pthread_dtvp', 2)
  const entryBits = field('dtv_dtv', 0)
  if (specificOffset === undefined || vectorOffset === undefined || entryBits === undefined) {
    return `${file.path} does not describe its threads (no _thread_db_ symbols)`
  }
  return { specificOffset, vectorOffset, vectorEntry: entryBits / 8 }
}

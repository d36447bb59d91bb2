import type { ProcessInfo } from '../process-info.js'
import type { CarrierKind, ProbeSite, Resolution } from './carrier-kind.js'
import { CarrierBit } from './carrier-layout.js'
import type { ElfFile } from './elf-file.js'
import type { MappedFile } from './mapped-files.js'
import type { ProcessImage } from './process-image.js'

/**
 * Where Node.js' loop runs callbacks that no read brought. Exported: Environment::RunTimers and what runs immediates;
 * libuv's end of thread pool work is a local symbol, which the official builds keep.
 */
const RUN_TIMERS = '_ZN4node11Environment9RunTimersEP10uv_timer_s'
const CHECK_IMMEDIATE = '_ZN4node11Environment14CheckImmediateEP10uv_check_s'
const MAKE_CALLBACK =
  '_ZN4node12MakeCallbackEPN2v87IsolateENS0_5LocalINS0_6ObjectEEENS3_INS0_8FunctionEEEiPNS3_INS0_5ValueEEENS_13async_contextE'
/** The compiler may put its body elsewhere. */
const ASYNC_IO = ['uv__async_io.part.0', 'uv__async_io'] as const
/** Callbacks without a read that are rarer still, where a build has a symbol for them. */
const RARER = ['uv__poll_io_uring', 'uv__signal_event', 'uv__inotify_read', 'uv__poll_io', 'uv__server_io'] as const
/** Work of the thread pool: who ordered it goes on at its end. */
const WORK_ORDERED = 'uv__work_submit'
const WORK_DONE = ['uv__fs_done', 'uv__queue_done', 'uv__getaddrinfo_done', 'uv__getnameinfo_done'] as const
const WORK = [WORK_ORDERED, ...WORK_DONE] as const

const PROGRAM = /^(node|nodejs)$|^libnode\.so/
const MOST_FILES = 64
/** A prologue is shorter. */
const PROLOGUE_BYTES = 16

/**
 * Node.js: bpf/lib/carriers/node.h says what the kernel makes of the marks. A read's callback runs to its end before the
 * next one's, so that only these phases have to be known.
 */
export function createNodeKind(): CarrierKind {
  /** By file: its tables are large, and the same for all processes that run it. */
  const known = new Map<string, readonly Site[] | string>()
  return {
    name: 'node',
    bit: CarrierBit.node,
    suspects: (info: ProcessInfo) => /(^|\/)(node|nodejs)$/.test(info.exe),
    detect: image => (image.find(PROGRAM) === undefined ? 'no' : 'yes'),
    resolve: image => {
      // A distribution may build it as a library of a small program.
      const file = image.find(/^libnode\.so/) ?? image.find(PROGRAM)!
      let sites = known.get(file.key)
      if (sites === undefined) {
        if (known.size >= MOST_FILES) known.delete(known.keys().next().value!)
        known.set(file.key, (sites = findSites(image, file)))
      }
      return typeof sites === 'string' ? unsupported(sites) : resolved(file, sites)
    },
  }
}

/** A program of bpf/capture/capture.bpf.c, and the offset in the file of the instruction that it is run at. */
type Site = Pick<ProbeSite, 'program' | 'offset'>

/** A reason in words where they are not found. */
function findSites(image: ProcessImage, file: MappedFile): readonly Site[] | string {
  const elf = image.elf(file)
  if (elf === undefined) return `${file.path} cannot be read`
  const symbols = elf.symbols([RUN_TIMERS, CHECK_IMMEDIATE, MAKE_CALLBACK, ...ASYNC_IO, ...RARER, ...WORK])
  const addressOf = (name: string): number | undefined => symbols.get(name)?.address
  const timers = addressOf(RUN_TIMERS)
  const check = symbols.get(CHECK_IMMEDIATE)
  const poolWork = ASYNC_IO.map(addressOf).find(isAddress)
  if (timers === undefined || check === undefined) {
    return `${file.path} does not export where it runs timers and immediates`
  }
  if (poolWork === undefined) {
    return `${file.path} has no symbol for the end of file work (stripped, or libuv is a library)`
  }
  // CheckImmediate runs in every turn of the loop, what it calls only where there are immediates.
  const callback = addressOf(MAKE_CALLBACK)
  const code = elf.bytesAt(check.address, check.bytes)
  const immediates = callback !== undefined && calls(code, check.address, callback) ? callback : check.address
  const phases = [timers, immediates, poolWork, ...RARER.map(addressOf).filter(isAddress)]
  const ordered = addressOf(WORK_ORDERED)
  const sites: Site[] = []
  const add = (program: string, address: number): void => {
    const offset = elf.fileOffset(address + firstPush(elf, address))
    if (offset !== undefined) sites.push({ program, offset })
  }
  for (const address of phases) add('phase_begun', address)
  if (sites.length < phases.length) return `${file.path}: a symbol lies outside of its code`
  if (ordered === undefined) return sites
  add('work_ordered', ordered)
  for (const address of WORK_DONE.map(addressOf).filter(isAddress)) add('work_done', address)
  return sites
}

const isAddress = (address: number | undefined): address is number => address !== undefined

/** A direct call (e8, distance from its end) of `target` is in this code. */
function calls(code: Buffer, address: number, target: number): boolean {
  for (let at = code.indexOf(0xe8); at >= 0 && at + 5 <= code.length; at = code.indexOf(0xe8, at + 1)) {
    if (address + at + 5 + code.readInt32LE(at + 1) === target) return true
  }
  return false
}

/** Distance of the first instruction that the kernel emulates, if it is a push behind nothing but an endbr64. */
function firstPush(elf: ElfFile, address: number): number {
  const code = elf.bytesAt(address, PROLOGUE_BYTES)
  const isEndbr = code.length > 4 && code.readUInt32LE(0) === 0xfa1e0ff3
  return isEndbr && (code[4]! & 0xf8) === 0x50 ? 4 : 0
}

const resolved = (file: MappedFile, sites: readonly Site[]): Resolution => ({
  state: 'resolved',
  detail: `${file.path}: timers, immediates and file work are marked`,
  probes: sites.map(site => ({ ...site, path: file.openPath, fileKey: file.key, atReturn: false })),
  fill: () => {},
})
const unsupported = (reason: string): Resolution => ({ state: 'unsupported', reason })

import { type ElfFile, openElf } from './elf-file.js'
import { type MappedFile, readMappedFiles } from './mapped-files.js'
import { createProcessMemory, type ProcessMemory } from './process-memory.js'

export interface ThreadPointer {
  readonly tid: number
  /** pthread_self(): what the thread's own storage is counted from. */
  readonly address: number
}

/** A running process as a kind of carriers looks at it: what is mapped, what the files say, what memory holds. */
export interface ProcessImage {
  readonly pid: number
  readonly files: readonly MappedFile[]
  readonly memory: ProcessMemory
  /** The first mapped file that has this name. */
  find(name: RegExp): MappedFile | undefined
  /** Its tables; undefined when it cannot be read. Closed with the image. */
  elf(file: MappedFile): ElfFile | undefined
  /** What has to be added to an address of the file to have one of the process. */
  bias(file: MappedFile): number
  /** Every thread, at the time of the first call. */
  threads(): readonly ThreadPointer[]
}

export interface ProcessImageOptions {
  readonly pid: number
  /** Looks the threads up in the kernel. */
  readonly readThreads: (pid: number) => readonly ThreadPointer[]
  readonly procRoot?: string
}

const PAGE = 4096

/** Runs `look` with an image of the process and closes what it opened. */
export function withProcessImage<Result>(options: ProcessImageOptions, look: (image: ProcessImage) => Result): Result {
  const { pid, procRoot } = options
  const memory = createProcessMemory(pid, procRoot)
  const elves = new Map<string, ElfFile | undefined>()
  const files = readMappedFiles(pid, procRoot)
  let threads: readonly ThreadPointer[] | undefined
  const elf = (file: MappedFile): ElfFile | undefined => {
    if (!elves.has(file.key)) elves.set(file.key, openOrUndefined(file.openPath))
    return elves.get(file.key)
  }
  try {
    return look({
      pid,
      files,
      memory,
      find: name => files.find(file => name.test(file.name)),
      elf,
      bias: file => {
        const first = elf(file)?.segments.find(segment => segment.type === 1)?.address ?? 0
        return file.start - (first - (first % PAGE))
      },
      threads: () => {
        threads ??= options.readThreads(pid)
        return threads
      },
    })
  } finally {
    memory.close()
    for (const each of elves.values()) each?.close()
  }
}

function openOrUndefined(path: string): ElfFile | undefined {
  try {
    return openElf(path)
  } catch {
    return undefined
  }
}

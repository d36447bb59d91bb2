import { closeSync, openSync, readSync } from 'node:fs'

/** Reads of another process' memory from outside (/proc/<pid>/mem). What cannot be read is undefined. */
export interface ProcessMemory {
  bytes(address: number, length: number): Buffer | undefined
  /** A pointer or other 64-bit word, exact below 2^53. */
  word(address: number): number | undefined
  number32(address: number): number | undefined
  close(): void
}

/** Opens nothing before the first read; a process that is gone has no memory. */
export function createProcessMemory(pid: number, procRoot = '/proc'): ProcessMemory {
  let file: number | undefined
  const bytes = (address: number, length: number): Buffer | undefined => {
    try {
      file ??= openSync(`${procRoot}/${pid}/mem`, 'r')
      const buffer = Buffer.alloc(length)
      return readSync(file, buffer, 0, length, address) === length ? buffer : undefined
    } catch {
      return undefined
    }
  }
  return {
    bytes,
    word: address => {
      const value = bytes(address, 8)?.readBigUInt64LE(0)
      return value === undefined ? undefined : Number(value)
    },
    number32: address => bytes(address, 4)?.readUInt32LE(0),
    close: () => {
      if (file !== undefined) closeSync(file)
      file = undefined
    },
  }
}

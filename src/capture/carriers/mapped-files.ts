import { readFileSync, statSync } from 'node:fs'

/** A file that a process has mapped. */
export interface MappedFile {
  /** As the process sees it, without ' (deleted)'. */
  readonly path: string
  /** Last part of the path. */
  readonly name: string
  /** Where it can be opened from here: through the process' own root, or, replaced or removed, through its mapping. */
  readonly openPath: string
  /** Tells the file apart whatever it is called: device and inode. */
  readonly key: string
  /** Address of the mapping of the file's first byte. */
  readonly start: number
}

const LINE = /^([0-9a-f]+)-([0-9a-f]+) \S+ ([0-9a-f]+) (\S+) (\d+)\s+(\/.*)$/

/** The files of /proc/<pid>/maps, in its order, each once; empty when the process is gone or has no memory. */
export function readMappedFiles(pid: number, procRoot = '/proc'): MappedFile[] {
  let text: string
  try {
    text = readFileSync(`${procRoot}/${pid}/maps`, 'latin1')
  } catch {
    return []
  }
  return parseMappedFiles(text, `${procRoot}/${pid}`)
}

export function parseMappedFiles(text: string, folder: string): MappedFile[] {
  const files: MappedFile[] = []
  const seen = new Set<string>()
  for (const line of text.split('\n')) {
    // Only the mapping of a file's beginning tells where it was loaded.
    if (!line.includes(' 00000000 ')) continue
    const fields = LINE.exec(line)
    if (fields === null || Number.parseInt(fields[3]!, 16) !== 0 || fields[5] === '0') continue
    const key = `${fields[4]}:${fields[5]}`
    if (seen.has(key)) continue
    seen.add(key)
    const path = fields[6]!.replace(/ \(deleted\)$/, '')
    files.push({
      path,
      name: path.slice(path.lastIndexOf('/') + 1),
      get openPath() {
        const throughRoot = `${folder}/root${path}`
        return isInode(throughRoot, fields[5]!) ? throughRoot : `${folder}/map_files/${fields[1]}-${fields[2]}`
      },
      key,
      start: Number.parseInt(fields[1]!, 16),
    })
  }
  return files
}

function isInode(path: string, inode: string): boolean {
  try {
    return String(statSync(path, { bigint: true }).ino) === inode
  } catch {
    return false
  }
}

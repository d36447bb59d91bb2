import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { createRecordingSource } from '../../src/capture/recording-source.js'
import { createRecordingWriter } from '../../src/capture/recording-writer.js'
import { createCounters } from '../../src/telemetry/counters.js'
import { CaptureBuilder, ORIGIN } from '../support/capture-builder.js'

const inFolder = (work: (folder: string) => void): void => {
  const folder = mkdtempSync(join(tmpdir(), 'ghostspan-recording-'))
  try {
    work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const batches = (path: string): Uint8Array[] => {
  const source = createRecordingSource(path)
  const all: Uint8Array[] = []
  for (let batch = source.read(); batch !== undefined; batch = source.read()) all.push(batch.slice())
  return all
}

const record = (path: string): Uint8Array => {
  const builder = new CaptureBuilder().process(1, ['a']).lost('ring_full', 3)
  const batch = builder.batch()
  const writer = createRecordingWriter(path, ORIGIN)
  writer.write(batch)
  writer.write(new Uint8Array(0))
  writer.write(batch)
  writer.close()
  writer.close()
  return batch
}

test('What was recorded is replayed byte for byte, with its origin', () => {
  inFolder(folder => {
    const path = join(folder, 'r')
    const batch = record(path)
    assert.deepEqual(batches(path), [batch, batch])
    assert.deepEqual(createRecordingSource(path).origin, ORIGIN)
  })
})

test('A recording is readable by its owner only and never overwrites another', () => {
  inFolder(folder => {
    const path = join(folder, 'r')
    record(path)
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.throws(() => createRecordingWriter(path, ORIGIN), /EEXIST/)
  })
})

test('A gzip-compressed recording replays like the plain one', () => {
  inFolder(folder => {
    const path = join(folder, 'r')
    record(path)
    writeFileSync(`${path}.gz`, gzipSync(readFileSync(path)))
    assert.deepEqual(batches(`${path}.gz`), batches(path))
  })
})

test('A recording whose recorder was killed replays up to the last whole frame, and the rest is counted', () => {
  inFolder(folder => {
    const path = join(folder, 'r')
    const batch = record(path)
    for (let cut = 1; cut < batch.length; cut += 13) {
      record(`${path}${cut}`)
      truncateSync(`${path}${cut}`, statSync(path).size - cut)
      const counters = createCounters()
      const source = createRecordingSource(`${path}${cut}`, counters)
      assert.deepEqual(source.read()?.slice(), batch)
      assert.equal(source.read(), undefined)
      assert.equal(source.ended, true)
      assert.equal(counters.snapshot()['capture.recording.cut_short'], 1)
    }
  })
})

test('A file that is no recording is refused with its name and what to do', () => {
  inFolder(folder => {
    const path = join(folder, 'no-recording')
    writeFileSync(path, 'GET / HTTP/1.1\r\n\r\n')
    assert.throws(() => createRecordingSource(path), /no-recording: not a Ghostspan recording.*ghostspan record/)
    writeFileSync(
      path,
      Buffer.concat([Buffer.from('GSPNREC1'), Buffer.from([4, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('{{{{')]),
    )
    assert.throws(() => createRecordingSource(path), /header cannot be read \(at byte 8\)/)
    writeFileSync(path, Buffer.concat([Buffer.from('GSPNREC1'), Buffer.from([255, 255, 255, 255, 0, 0, 0, 0])]))
    assert.throws(() => createRecordingSource(path), /a frame of 4294967295 bytes/)
  })
})

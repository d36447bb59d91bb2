import type { CarrierKind } from './carrier-kind.js'
import { CarrierBit } from './carrier-layout.js'
import type { ProcessImage } from './process-image.js'

/** Sections that Go's linker writes into every program (cmd/link), stripped ones included. */
const GO_SECTIONS = ['.go.buildinfo', '.gopclntab', '.data.rel.ro.gopclntab']

/**
 * Go programs are known, so that nobody takes their threads for carriers: a goroutine goes on on any of them. Which
 * goroutine runs is not read yet, so context says nothing of these processes.
 */
export const goKind: CarrierKind = {
  name: 'go',
  bit: CarrierBit.go,
  suspects: () => false,
  detect: image => (isGo(image) ? 'yes' : 'no'),
  resolve: () => ({ state: 'unsupported', reason: 'goroutines are not followed yet' }),
}

function isGo(image: ProcessImage): boolean {
  // The executable is what is mapped first, and Go's linker makes no shared libraries by default.
  const executable = image.files[0]
  const elf = executable === undefined ? undefined : image.elf(executable)
  return elf !== undefined && GO_SECTIONS.some(name => elf.section(name) !== undefined)
}

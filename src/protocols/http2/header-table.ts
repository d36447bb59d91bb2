/** A header field as far as it is known. */
export interface HeaderField {
  /** undefined: it stands in a part of the table that was never seen. */
  readonly name: string | undefined
  /** undefined: not known, or of a name whose values are not kept. */
  readonly value: string | undefined
}

/** RFC 7541, 4.1: what an entry counts beyond its texts. */
const ENTRY_OVERHEAD = 32
/** RFC 9113, 6.5.2: the size before anything else was agreed. */
const INITIAL_SIZE = 4096
/** No table is kept beyond this size, whatever was agreed; what is older counts as never seen. */
const LARGEST_SIZE = 65_536

/**
 * The dynamic table of one direction (RFC 7541, 2.3.2), newest first. What was put in before the connection was
 * joined, or while bytes were lost, is missing from its old end; what is put in afterwards is in its right place,
 * because places are counted from the newest.
 */
export class HeaderTable {
  #ring: (HeaderField | undefined)[] = new Array(16).fill(undefined)
  #sizes = new Uint32Array(16)
  /** Slot of the newest. */
  #newest = 0
  #count = 0
  #size = 0
  #limit: number
  #complete: boolean

  /** @param complete false: entries may be there already. */
  constructor(complete: boolean) {
    this.#complete = complete
    // The size agreed before is not known; keeping more than the sender does no harm, it never refers to it.
    this.#limit = complete ? INITIAL_SIZE : LARGEST_SIZE
  }

  /** Every entry that the sender can refer to is here. */
  get complete(): boolean {
    return this.#complete
  }

  get size(): number {
    return this.#size
  }

  get count(): number {
    return this.#count
  }

  /** The entry at a place from 0, the newest; undefined if there is none, or none is known. */
  at(place: number): HeaderField | undefined {
    return place >= this.#count ? undefined : this.#ring[(this.#newest - place) & (this.#ring.length - 1)]
  }

  /** @param textBytes length of name and value together */
  add(field: HeaderField, textBytes: number): void {
    const size = textBytes + ENTRY_OVERHEAD
    this.#evict(this.#limit - size)
    if (size > this.#limit) return
    if (this.#count === this.#ring.length) this.#grow()
    this.#newest = (this.#newest + 1) & (this.#ring.length - 1)
    this.#ring[this.#newest] = field
    this.#sizes[this.#newest] = size
    this.#count++
    this.#size += size
  }

  /** The sender has changed the size (RFC 7541, 6.3). */
  resize(limit: number): void {
    if (limit > LARGEST_SIZE) this.#complete = false
    this.#limit = Math.min(limit, LARGEST_SIZE)
    this.#evict(this.#limit)
    // With nothing left on the sender's side nothing can be missing here.
    if (limit === 0) this.#complete = true
  }

  /** Entries may have been put in that were not seen: nothing keeps its place. */
  lose(): void {
    this.#ring.fill(undefined)
    this.#count = 0
    this.#size = 0
    this.#complete = false
    this.#limit = LARGEST_SIZE
  }

  #evict(limit: number): void {
    while (this.#count > 0 && this.#size > limit) {
      const oldest = (this.#newest - this.#count + 1) & (this.#ring.length - 1)
      this.#ring[oldest] = undefined
      this.#size -= this.#sizes[oldest]!
      this.#count--
    }
  }

  #grow(): void {
    const { length } = this.#ring
    const ring: (HeaderField | undefined)[] = new Array(length * 2).fill(undefined)
    const sizes = new Uint32Array(length * 2)
    for (let place = 0; place < this.#count; place++) {
      const from = (this.#newest - place) & (length - 1)
      ring[this.#count - 1 - place] = this.#ring[from]
      sizes[this.#count - 1 - place] = this.#sizes[from]!
    }
    this.#ring = ring
    this.#sizes = sizes
    this.#newest = this.#count - 1
  }
}

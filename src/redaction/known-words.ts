/**
 * Words of a protocol, recognised byte by byte: what has been read so far of a word may be shown as long as it is the
 * beginning of a word that everybody knows.
 */
export class KnownWords {
  readonly #next: Map<number, number>[] = [new Map()]
  readonly #words: (string | undefined)[] = [undefined]
  readonly #caseless: boolean

  constructor(words: readonly string[], options: { readonly caseless?: boolean } = {}) {
    this.#caseless = options.caseless === true
    for (const word of words) this.#add(this.#caseless ? word.toLowerCase() : word)
  }

  /** Where a word begins. */
  static readonly start = 0
  /** What has been read is the beginning of no word. */
  static readonly none = -1

  /** The place behind one more byte. */
  step(place: number, byte: number): number {
    if (place < 0) return place
    const folded = this.#caseless && byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte
    return this.#next[place]!.get(folded) ?? KnownWords.none
  }

  /** The word that ends at this place, in small letters if case does not matter; undefined: none does. */
  at(place: number): string | undefined {
    return place < 0 ? undefined : this.#words[place]
  }

  #add(word: string): void {
    let place = KnownWords.start
    for (let i = 0; i < word.length; i++) {
      const code = word.charCodeAt(i)
      let next = this.#next[place]!.get(code)
      if (next === undefined) {
        next = this.#next.push(new Map()) - 1
        this.#words.push(undefined)
        this.#next[place]!.set(code, next)
      }
      place = next
    }
    this.#words[place] = word
  }
}

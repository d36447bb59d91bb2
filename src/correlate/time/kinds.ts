/** Numbers for names, in order of first appearance; beyond the limit all further names share the last number. */
export interface Kinds {
  of(name: string): number
  nameOf(kind: number): string
  readonly size: number
}

export function createKinds(limit = 250): Kinds {
  const numbers = new Map<string, number>()
  const names: string[] = []
  return {
    of: name => {
      const known = numbers.get(name)
      if (known !== undefined) return known
      if (names.length >= limit) return limit - 1
      numbers.set(name, names.length)
      names.push(name)
      return names.length - 1
    },
    nameOf: kind => names[kind] ?? '',
    get size() {
      return names.length
    },
  }
}

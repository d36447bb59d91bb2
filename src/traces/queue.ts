/** First in, first out; what lies in it can be taken out at its place. */
export interface Queue<T> {
  /** Returns the item's place, for `remove`; below 2^53. */
  push(item: T): number
  peek(): T | undefined
  shift(): T | undefined
  /** Takes out what was pushed to this place, so that the queue does not keep it alive; nothing if it has gone. */
  remove(place: number): void
}

/** Amortised constant time: what remains is moved once in so many steps, not at every one. */
export function createQueue<T>(): Queue<T> {
  let items: (T | undefined)[] = []
  let head = 0
  /** Place of items[0]. */
  let base = 0

  const skipRemoved = (): void => {
    while (head < items.length && items[head] === undefined) head++
    if (head > 1_024 && head * 2 > items.length) {
      items = items.slice(head)
      base += head
      head = 0
    }
  }
  return {
    push: item => {
      items.push(item)
      return base + items.length - 1
    },
    peek: () => {
      skipRemoved()
      return items[head]
    },
    shift: () => {
      skipRemoved()
      const item = items[head]
      if (item !== undefined) items[head++] = undefined
      return item
    },
    remove: place => {
      const at = place - base
      if (at >= head) items[at] = undefined
    },
  }
}

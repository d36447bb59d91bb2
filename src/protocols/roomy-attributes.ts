import type { Attributes } from './protocol.js'

/**
 * Makes plain objects that have room for what is added to them one by one. A literal has room for what it begins with: everything
 * beyond makes V8 allocate again, thrice for nine properties. Of a constructor it learns from the first objects how much room the
 * others want; so each place that fills objects in its own way has a maker of its own.
 */
export function createAttributesMaker(): () => Attributes {
  function Room(): void {}
  // Nothing tells them from literals.
  Room.prototype = Object.prototype
  const RoomyObject = Room as unknown as new () => Attributes
  return () => new RoomyObject()
}

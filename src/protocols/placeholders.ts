/** From this many arguments on, a text says only that there are more. */
const MOST_PLACEHOLDERS = 8

/**
 * Texts like `SET ? ?` for one operation, by its number of arguments: what was asked without any of what was said.
 */
export function createPlaceholderTexts(name: string): (argumentCount: number) => string {
  const texts: string[] = []
  return argumentCount => {
    const shown = Math.min(argumentCount, MOST_PLACEHOLDERS + 1)
    return (texts[shown] ??=
      name + ' ?'.repeat(Math.min(shown, MOST_PLACEHOLDERS)) + (shown > MOST_PLACEHOLDERS ? ' …' : ''))
  }
}

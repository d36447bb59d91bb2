import { displayWidth, padEnd, padStart, printable } from '../export/display-text.js'

export interface TableColumn {
  readonly title: string
  /** Numbers stand at the right. */
  readonly align?: 'left' | 'right'
}

/** Rows under titles, columns as wide as their widest cell. Ends with a line end. */
export function textTable(columns: readonly TableColumn[], rows: readonly (readonly string[])[]): string {
  const cells = [columns.map(column => column.title), ...rows.map(row => row.map(cell => printable(cell)))]
  const widths = columns.map((_, index) => Math.max(...cells.map(row => displayWidth(row[index] ?? ''))))
  return cells
    .map(row => {
      const padded = columns.map((column, index) => {
        const pad = column.align === 'right' ? padStart : padEnd
        return pad(row[index] ?? '', widths[index]!)
      })
      return `${padded.join('  ').trimEnd()}\n`
    })
    .join('')
}

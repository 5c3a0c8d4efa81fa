/** A column of a table: its head, and on which side its cells stand. */
export interface Column {
  readonly head: string
  readonly align?: 'left' | 'right'
}

/** Lines of a table for a terminal: columns as wide as their widest cell, two spaces apart, nothing trailing. */
export function textTable(columns: readonly Column[], rows: readonly (readonly string[])[]): readonly string[] {
  const lines = [columns.map(({ head }) => head), ...rows]
  const widths = columns.map((_, index) => Math.max(...lines.map((cells) => (cells[index] ?? '').length)))
  return lines.map((cells) =>
    columns
      .map(({ align }, index) => pad(cells[index] ?? '', widths[index] ?? 0, align ?? 'left'))
      .join('  ')
      .trimEnd(),
  )
}

const pad = (cell: string, to: number, align: 'left' | 'right'): string => {
  const spaces = ' '.repeat(Math.max(0, to - cell.length))
  return align === 'right' ? spaces + cell : cell + spaces
}

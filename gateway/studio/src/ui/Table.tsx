import type { Key, ReactNode } from 'react';
import { classes } from './classes';
import styles from './Table.module.css';

export interface Column<T> {
  title: string;
  /** Numbers stand at the right. */
  numeric?: boolean;
  cell: (row: T) => ReactNode;
}

interface Props<T> {
  /** What the table is about, for those who do not see it. */
  caption: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  keyOf: (row: T) => Key;
}

/** Rows and columns; wide ones scroll by themselves. The first cell of a row is its heading. */
export function Table<T>({ caption, columns, rows, keyOf }: Props<T>) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section className={styles.scroll} tabIndex={0} aria-label={caption}>
      <table className={styles.table}>
        <caption className="unseen">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.title} scope="col" className={classes(column.numeric && styles.numeric)}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map((column, index) => {
                const Cell = index === 0 ? 'th' : 'td';
                return (
                  <Cell
                    key={column.title}
                    scope={index === 0 ? 'row' : undefined}
                    className={classes(column.numeric && styles.numeric)}
                  >
                    {column.cell(row)}
                  </Cell>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

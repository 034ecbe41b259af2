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
  /** A box before each row and above them all, by which rows are chosen. */
  boxes?: { all: ReactNode; of: (row: T) => ReactNode; isChosen: (row: T) => boolean };
  /** More about a row, below it; null when there is none. */
  detail?: (row: T) => ReactNode;
  /** Closer together, for many columns. */
  dense?: boolean;
}

/** Rows and columns; wide ones scroll by themselves. The first cell of a row, beside its box, is its heading. */
export function Table<T>({ caption, columns, rows, keyOf, boxes, detail, dense }: Props<T>) {
  const width = columns.length + (boxes ? 1 : 0);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section className={styles.scroll} tabIndex={0} aria-label={caption}>
      <table className={classes(styles.table, dense && styles.dense)}>
        <caption className="unseen">{caption}</caption>
        <thead>
          <tr>
            {boxes && (
              <th scope="col" className={styles.box}>
                {boxes.all}
              </th>
            )}
            {columns.map((column) => (
              <th key={column.title} scope="col" className={classes(column.numeric && styles.numeric)}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        {rows.map((row) => {
          const more = detail?.(row);
          return (
            <tbody key={keyOf(row)}>
              <tr className={classes(boxes?.isChosen(row) && styles.chosen)}>
                {boxes && <td className={styles.box}>{boxes.of(row)}</td>}
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
              {more && (
                <tr>
                  <td colSpan={width} className={styles.detail}>
                    {more}
                  </td>
                </tr>
              )}
            </tbody>
          );
        })}
      </table>
    </section>
  );
}

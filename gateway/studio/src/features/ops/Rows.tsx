import { type Key, type ReactNode, useEffect, useRef } from 'react';
import { classes } from '@/ui/classes';
import { type Column, Table } from '@/ui/Table';
import { useNarrow } from './narrow';
import styles from './Rows.module.css';

/** Which rows are chosen; `toggle` without a key is for all that are shown. */
export interface Choice {
  chosen: ReadonlySet<Key>;
  toggle: (key?: Key) => void;
}

interface Props<T> {
  caption: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  keyOf: (row: T) => Key;
  nameOf?: (row: T) => string;
  choice?: Choice;
  /** More about a row, below it; null when there is none. */
  detail?: (row: T) => ReactNode;
}

/** A table where there is room, else cards. The first column is the heading of its row. */
export function Rows<T>(props: Props<T>) {
  return useNarrow() ? <Cards {...props} /> : <Grid {...props} />;
}

function Grid<T>({ nameOf, choice, ...table }: Props<T>) {
  const { rows, keyOf } = table;
  const boxes = choice && {
    all: <All choice={choice} count={rows.length} />,
    of: (row: T) => <One choice={choice} of={keyOf(row)} name={nameOf?.(row)} />,
    isChosen: (row: T) => choice.chosen.has(keyOf(row)),
  };
  return <Table {...table} boxes={boxes} dense />;
}

function Cards<T>({ caption, columns, rows, keyOf, nameOf, choice, detail }: Props<T>) {
  const [heading, ...others] = columns;
  return (
    <>
      {choice && (
        <div className={styles.all}>
          <All choice={choice} count={rows.length} words />
        </div>
      )}
      <ul className={styles.cards} aria-label={caption}>
        {rows.map((row) => (
          <li key={keyOf(row)} className={classes(choice?.chosen.has(keyOf(row)) && styles.chosen)}>
            <div className={styles.head}>
              {choice && <One choice={choice} of={keyOf(row)} name={nameOf?.(row)} />}
              <div>{heading?.cell(row)}</div>
            </div>
            <dl className={styles.facts}>
              {others.map((column) => (
                <div key={column.title}>
                  <dt>{column.title}</dt>
                  <dd>{column.cell(row)}</dd>
                </div>
              ))}
            </dl>
            {detail?.(row)}
          </li>
        ))}
      </ul>
    </>
  );
}

function All({ choice, count, words }: { choice: Choice; count: number; words?: boolean }) {
  const ref = useRef<HTMLInputElement>(null);
  const some = choice.chosen.size > 0 && choice.chosen.size < count;
  useEffect(() => {
    if (ref.current) ref.current.indeterminate = some;
  }, [some]);
  return (
    <label className={styles.check}>
      <input
        ref={ref}
        type="checkbox"
        checked={count > 0 && choice.chosen.size >= count}
        onChange={() => choice.toggle()}
      />
      <span className={words ? undefined : 'unseen'}>All shown</span>
    </label>
  );
}

function One({ choice, of, name }: { choice: Choice; of: Key; name?: string }) {
  return (
    <label className={styles.check}>
      <input type="checkbox" checked={choice.chosen.has(of)} onChange={() => choice.toggle(of)} />
      <span className="unseen">Choose {name}</span>
    </label>
  );
}

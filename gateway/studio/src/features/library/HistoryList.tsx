import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef } from 'react';
import type { Generation } from '@/api/client';
import { byDay } from './days';
import styles from './HistoryList.module.css';
import { HistoryRow } from './HistoryRow';

interface Props {
  generations: readonly Generation[];
  selected: ReadonlySet<string>;
  onSelect: (id: string, range: boolean) => void;
  onEndReached: () => void;
}

const DAY_PX = 48;
const ROW_PX = 73;
const OVERSCAN = 8;

/** Generations by day. Only the rows near the window are there. */
export function HistoryList({ generations, selected, onSelect, onEndReached }: Props) {
  const list = useRef<HTMLDivElement>(null);
  const lines = useMemo(() => byDay(generations, (one) => one.created_at), [generations]);
  const virtual = useWindowVirtualizer({
    count: lines.length,
    estimateSize: (index) => ('day' in (lines[index] ?? { day: '' }) ? DAY_PX : ROW_PX),
    overscan: OVERSCAN,
    scrollMargin: list.current?.offsetTop ?? 0,
    getItemKey: (index) => {
      const line = lines[index];
      return line === undefined ? index : 'day' in line ? line.day : line.row.id;
    },
  });
  const visible = virtual.getVirtualItems();
  const last = visible.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last >= lines.length - OVERSCAN) onEndReached();
  }, [last, lines.length, onEndReached]);
  const margin = virtual.options.scrollMargin;
  return (
    <div ref={list} className={styles.list} style={{ height: virtual.getTotalSize() }}>
      {visible.map((item) => {
        const line = lines[item.index];
        if (!line) return null;
        const style = { transform: `translateY(${item.start - margin}px)`, height: item.size };
        return 'day' in line ? (
          <h2 key={item.key} className={styles.day} style={style}>
            {line.day}
          </h2>
        ) : (
          <HistoryRow
            key={item.key}
            generation={line.row}
            selected={selected.has(line.row.id)}
            style={style}
            onSelect={onSelect}
          />
        );
      })}
    </div>
  );
}

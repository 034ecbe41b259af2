import { useLayoutEffect, useRef } from 'react';
import type { Job } from '@/live/jobs';
import styles from './StreamedText.module.css';

const NEAR_PX = 24;

/** A text as it is written. It follows the end, unless somebody has scrolled up to read. */
export function StreamedText({ text, textStart }: Pick<Job, 'text' | 'textStart'>) {
  const box = useRef<HTMLElement>(null);
  const follows = useRef(true);
  useLayoutEffect(() => {
    if (box.current && follows.current && text) box.current.scrollTop = box.current.scrollHeight;
  }, [text]);
  return (
    <section
      ref={box}
      aria-label="The text so far"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
      tabIndex={0}
      className={styles.text}
      onScroll={({ currentTarget: at }) => {
        follows.current = at.scrollHeight - at.scrollTop - at.clientHeight < NEAR_PX;
      }}
    >
      {textStart > 0 && <span title="The beginning comes with the whole text">… </span>}
      {text}
    </section>
  );
}

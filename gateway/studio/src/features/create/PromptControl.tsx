import { ChevronDown, ChevronUp } from 'lucide-react';
import { type KeyboardEvent, useState } from 'react';
import { IconButton } from '@/ui/Button';
import { Field } from '@/ui/Field';
import { TextArea } from '@/ui/TextArea';
import type { ControlProps } from './fields/control';
import styles from './PromptControl.module.css';
import { promptOf } from './prompts';
import { useRecent } from './recent';

/** By kind, what one might ask for. */
export const HINTS: Readonly<Record<string, string>> = {
  image: 'A lighthouse in fog, long exposure',
  audio: 'The tide is turning, and the boats come home.',
  music: 'A calm evening by the water, piano and strings',
  video: 'Clouds moving over a harbour at dawn',
  text: 'Write a short note about lighthouses',
};

/** What is asked for. Alt+↑ and Alt+↓ go through what was asked for before; what was typed comes back at the end. */
export function PromptControl({ kind, field, value, error, onChange }: ControlProps) {
  const past = useRecent(kind).data ?? [];
  const asked = [...new Set(past.map(promptOf).filter((one) => one !== null))];
  const [place, setPlace] = useState(-1);
  const [typed, setTyped] = useState('');
  const text = String(value ?? '');
  const go = (step: number) => {
    const next = Math.max(-1, Math.min(asked.length - 1, place + step));
    if (place === -1) setTyped(text);
    setPlace(next);
    onChange(next === -1 ? (place === -1 ? text : typed) : asked[next]);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (!event.altKey || (event.key !== 'ArrowUp' && event.key !== 'ArrowDown')) return;
    event.preventDefault();
    go(event.key === 'ArrowUp' ? 1 : -1);
  };
  return (
    <div className={styles.prompt}>
      <Field
        label={field.title}
        error={error}
        count={field.maxLength === null ? undefined : { now: [...text].length, most: field.maxLength }}
      >
        {(wires) => (
          <TextArea
            {...wires}
            rows={4}
            value={text}
            placeholder={HINTS[kind]}
            onKeyDown={onKeyDown}
            onChange={(event) => {
              setPlace(-1);
              onChange(event.target.value);
            }}
          />
        )}
      </Field>
      <div className={styles.past}>
        <IconButton
          size="sm"
          name="Earlier prompt (Alt+↑)"
          icon={<ChevronUp />}
          disabled={place >= asked.length - 1}
          onClick={() => go(1)}
        />
        <IconButton
          size="sm"
          name="Later prompt (Alt+↓)"
          icon={<ChevronDown />}
          disabled={place < 0}
          onClick={() => go(-1)}
        />
      </div>
    </div>
  );
}

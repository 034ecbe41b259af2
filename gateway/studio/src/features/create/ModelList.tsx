import { Check } from 'lucide-react';
import { type KeyboardEvent, useId, useState } from 'react';
import type { Model } from '@/api/client';
import { Badge } from '@/ui/Badge';
import { classes } from '@/ui/classes';
import { TextInput } from '@/ui/TextInput';
import styles from './ModelPicker.module.css';
import { found } from './modelSearch';
import { inWords } from './price';

interface Props {
  models: readonly Model[];
  chosen: Model | undefined;
  onChoose: (model: Model) => void;
}

/** A search field that keeps the focus, and below it what matches; the arrow keys go through it. */
export function ModelList({ models, chosen, onChoose }: Props) {
  const id = useId();
  const [search, setSearch] = useState('');
  const shown = found(models, search);
  const [active, setActive] = useState(() => chosen?.id ?? null);
  const now = Math.max(
    0,
    shown.findIndex((one) => one.id === active),
  );
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      const next = shown[(now + step + shown.length) % shown.length];
      setActive(next?.id ?? null);
      document.getElementById(`${id}-${next?.id}`)?.scrollIntoView({ block: 'nearest' });
    } else if (event.key === 'Enter') {
      event.preventDefault();
      event.stopPropagation();
      const model = shown[now];
      if (model?.available) onChoose(model);
    }
  };
  return (
    <>
      <div className={styles.search}>
        <TextInput
          autoFocus
          role="combobox"
          aria-expanded="true"
          aria-controls={`${id}-list`}
          aria-activedescendant={shown[now] && `${id}-${shown[now].id}`}
          aria-label="Search models"
          placeholder="Search models, providers, abilities"
          value={search}
          onChange={(event) => {
            setSearch(event.target.value);
            setActive(null);
          }}
          onKeyDown={onKeyDown}
        />
      </div>
      <div role="listbox" id={`${id}-list`} aria-label="Models" className={styles.list}>
        {shown.map((model, index) => (
          // biome-ignore lint/a11y/useFocusableInteractive: the field above keeps the focus
          // biome-ignore lint/a11y/useKeyWithClickEvents: Enter in the field above chooses
          <div
            key={model.id}
            id={`${id}-${model.id}`}
            role="option"
            aria-selected={model.id === chosen?.id}
            aria-disabled={!model.available}
            className={classes(styles.option, index === now && styles.active)}
            onClick={() => model.available && onChoose(model)}
          >
            <span className={styles.name}>
              {model.label}
              {model.shutdown_date && <Badge tone="warn">Ends {model.shutdown_date}</Badge>}
            </span>
            <span className={styles.facts}>
              {model.available
                ? `${model.provider} · ${model.price_text} · about ${inWords(model.expected_s)}`
                : `${model.provider} · not available: ${model.reason ?? 'its provider is not ready'}`}
            </span>
            <span className={styles.facts}>{model.description}</span>
            {model.id === chosen?.id && <Check aria-hidden="true" />}
          </div>
        ))}
        {shown.length === 0 && <p className={styles.none}>No model is called that.</p>}
      </div>
    </>
  );
}

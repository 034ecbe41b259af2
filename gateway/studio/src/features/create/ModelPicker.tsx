import { ChevronsUpDown } from 'lucide-react';
import { type ReactNode, useId, useRef, useState } from 'react';
import type { Model } from '@/api/client';
import { useAnchored } from '@/ui/anchored';
import { InlineButton } from './InlineButton';
import { ModelList } from './ModelList';
import styles from './ModelPicker.module.css';
import { inWords } from './price';

interface Props {
  models: readonly Model[];
  chosen: Model | undefined;
  /** Why it is refused. */
  error: string | null;
  /** At the right of its label. */
  actions?: ReactNode;
  onChoose: (model: Model) => void;
}

/** Which model makes it: a button with what matters about it, and a list to search in. */
export function ModelPicker({ models, chosen, error, actions, onChoose }: Props) {
  const id = useId();
  const popover = useRef<HTMLDivElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const place = () => {
    const box = opener.current?.getBoundingClientRect();
    const sheet = popover.current;
    if (!box || !sheet) return;
    sheet.style.width = `${Math.min(Math.max(box.width, 320), innerWidth - 16)}px`;
    sheet.style.left = `${Math.max(8, Math.min(box.left, innerWidth - sheet.offsetWidth - 8))}px`;
    sheet.style.top = `${Math.min(box.bottom + 4, Math.max(8, innerHeight - sheet.offsetHeight - 8))}px`;
  };
  useAnchored(open, place);
  return (
    <div className={styles.picker}>
      <div className={styles.head}>
        <span id={`${id}-label`} className={styles.label}>
          Model
        </span>
        {actions}
      </div>
      <button
        ref={opener}
        type="button"
        popoverTarget={id}
        aria-labelledby={`${id}-label ${id}-value`}
        aria-haspopup="listbox"
        aria-expanded={open}
        className={styles.button}
      >
        <span id={`${id}-value`} className={styles.value}>
          <span className={styles.name}>{chosen?.label ?? 'No model is available'}</span>
          {chosen && (
            <span className={styles.facts}>
              {chosen.provider} · {chosen.price_text} · about {inWords(chosen.expected_s)}
            </span>
          )}
        </span>
        <ChevronsUpDown aria-hidden="true" />
      </button>
      {chosen?.shutdown_date && <Retirement model={chosen} models={models} onChoose={onChoose} />}
      {chosen && !chosen.available && <p className={styles.warning}>{unavailable(chosen)}</p>}
      {error && <p className={styles.error}>{error}</p>}
      <div
        ref={popover}
        id={id}
        popover="auto"
        className={styles.popover}
        onToggle={(event) => setOpen(event.newState === 'open')}
      >
        {open && (
          <ModelList
            models={models}
            chosen={chosen}
            onChoose={(model) => {
              onChoose(model);
              popover.current?.hidePopover();
              opener.current?.focus();
            }}
          />
        )}
      </div>
    </div>
  );
}

/** When it ends, and what comes after it. */
function Retirement({ model, models, onChoose }: Pick<Props, 'models' | 'onChoose'> & { model: Model }) {
  const successor = models.find((one) => one.id === model.successor && one.available);
  const day = new Date(`${model.shutdown_date}T00:00`).toLocaleDateString('en', { dateStyle: 'long' });
  return (
    <p className={styles.warning}>
      {model.label} ends on {day}.{' '}
      {successor && <InlineButton onClick={() => onChoose(successor)}>Use {successor.label}</InlineButton>}
    </p>
  );
}

export function unavailable(model: Model): string {
  return `${model.label} cannot run now: ${model.reason ?? 'its provider is not ready'}.`;
}

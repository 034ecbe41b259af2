import { Check, Copy } from 'lucide-react';
import { useRef, useState } from 'react';
import { Button } from './Button';
import styles from './CopyField.module.css';

/** A text to take along. Where the clipboard is not allowed it is selected, for the keys to copy. */
export function CopyField({ label, text }: { label: string; text: string }) {
  const field = useRef<HTMLInputElement>(null);
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    field.current?.select();
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
    } catch {
      setCopied(false);
    }
  };
  return (
    <div className={styles.row}>
      <input
        ref={field}
        aria-label={label}
        className={styles.text}
        readOnly
        value={text}
        onFocus={(event) => event.target.select()}
      />
      <Button icon={copied ? <Check /> : <Copy />} onClick={() => void copy()}>
        {copied ? 'Copied' : 'Copy'}
      </Button>
      <span role="status" className="unseen">
        {copied ? `${label} is copied.` : ''}
      </span>
    </div>
  );
}

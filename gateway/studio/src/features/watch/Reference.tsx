import { Check, Copy } from 'lucide-react';
import { useState } from 'react';
import { IconButton } from '@/ui/Button';
import { sayProblem } from '@/ui/toasts';
import styles from './FailureCard.module.css';
import type { Failure } from './failure';

/** The code, and the number to quote, ready to be copied. */
export function Reference({ failure }: { failure: Pick<Failure, 'code' | 'reference'> }) {
  const [copied, setCopied] = useState(false);
  const { code, reference } = failure;
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(reference ?? '');
      setCopied(true);
    } catch {
      sayProblem(new Error('The browser did not allow copying. Select the number and copy it by hand.'));
    }
  };
  return (
    <p className={styles.reference}>
      <span>{reference ? `${code} · ${reference}` : code}</span>
      {reference && (
        <IconButton
          name={copied ? 'Copied' : 'Copy the number'}
          size="sm"
          icon={copied ? <Check /> : <Copy />}
          onClick={() => void copy()}
        />
      )}
    </p>
  );
}

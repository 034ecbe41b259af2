import { Check, Copy } from 'lucide-react';
import { useState } from 'react';
import { IconButton } from '@/ui/Button';
import { sayProblem } from '@/ui/toasts';
import styles from './FailureCard.module.css';
import type { Failure } from './failure';

const LONGEST = 12;

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
      <span>{code}</span>
      {reference && (
        <span className={styles.number} title={reference}>
          {shortened(reference)}
          <IconButton
            name={copied ? 'Copied' : 'Copy the number'}
            size="sm"
            icon={copied ? <Check /> : <Copy />}
            onClick={() => void copy()}
          />
        </span>
      )}
    </p>
  );
}

/** Its end is what tells two apart; the whole of it is on hover and on the clipboard. */
function shortened(reference: string): string {
  return reference.length > LONGEST ? `…${reference.slice(-8)}` : reference;
}

import { Copy } from 'lucide-react';
import { useState } from 'react';
import { Button, IconButton } from '@/ui/Button';
import { classes } from '@/ui/classes';
import { copy } from '@/ui/clipboard';
import styles from './Details.module.css';

const LONG = 420;

/** The words that were asked for; long ones unfold. */
export function Prompt({ text }: { text: string }) {
  const [whole, setWhole] = useState(false);
  const long = text.length > LONG;
  return (
    <section className={styles.section}>
      <div className={styles.headline}>
        <h3>Prompt</h3>
        <IconButton
          name="Copy the prompt"
          icon={<Copy />}
          size="sm"
          onClick={() => void copy(text, 'The prompt is copied.')}
        />
      </div>
      <p className={classes(styles.prompt, long && !whole && styles.folded)}>{text}</p>
      {long && (
        <Button size="sm" look="quiet" onClick={() => setWhole(!whole)}>
          {whole ? 'Less' : 'All of it'}
        </Button>
      )}
    </section>
  );
}

import { fileAddress } from '@/api/address';
import type { Generation } from '@/api/client';
import styles from './Finished.module.css';

interface Props {
  generation: Generation;
  chosen: number;
  onChoose: (n: number) => void;
}

/** The outputs of one generation, small; the arrow keys go through them too. */
export function OutputStrip({ generation, chosen, onChoose }: Props) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: buttons of one row, not fields
    <div role="group" aria-label="Outputs" className={styles.strip}>
      {generation.outputs.map((output, index) => (
        <button
          key={output.n}
          type="button"
          className={styles.thumb}
          aria-label={`Output ${index + 1}`}
          aria-pressed={output.n === chosen}
          onClick={() => onChoose(index)}
        >
          <img src={fileAddress(output.thumbnail_url ?? output.url)} alt="" width={72} height={72} />
        </button>
      ))}
    </div>
  );
}

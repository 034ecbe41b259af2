import { Link } from '@tanstack/react-router';
import { Download, Info, Link2, Repeat, Scaling, Share2, SquarePen, Star, WandSparkles } from 'lucide-react';
import type { ReactNode, Ref } from 'react';
import { fileAddress } from '@/api/address';
import { bearer } from '@/api/bearer';
import type { Generation, Output } from '@/api/client';
import { share } from '@/api/links';
import { printed } from '@/keyboard/chord';
import { copy } from '@/ui/clipboard';
import { Menu, type MenuItem } from '@/ui/Menu';
import { sayProblem } from '@/ui/toasts';
import styles from './Finished.module.css';
import { favor } from './favoring';
import { useFill } from './prefill';
import { titleFor } from './prompts';
import { type Purpose, purposesOf } from './purposes';
import { reuses, useReuse } from './reusing';
import { settingsOf } from './settingsOf';

interface Props {
  /** The link that downloads. */
  ref: Ref<HTMLAnchorElement>;
  generation: Generation;
  output: Output;
  busy: boolean;
  onAgain: (seed: 'same' | 'new') => void;
}

const HOUR_S = 3600;
const TERMS: [string, number][] = [
  ['an hour', HOUR_S],
  ['a day', 24 * HOUR_S],
  ['a week', 7 * 24 * HOUR_S],
  ['30 days', 30 * 24 * HOUR_S],
];

/** What can be done with an output. */
export function ResultActions({ ref, generation, output, busy, onAgain }: Props) {
  const fill = useFill();
  const reuse = useReuse();
  const file = fileAddress(output.url);
  // With a page's token nobody has a session here, and its own address opens nothing by itself.
  const isMine = bearer() === null;
  const reference = `${generation.id}/${output.n}`;
  const note = {
    name: titleFor(generation),
    mime: output.mime,
    thumbnail: output.thumbnail_url,
    seconds: output.duration_s,
  };
  const begin = ({ kind, field }: Purpose) =>
    fill({ kind, input: { [field]: reference }, files: { [reference]: note } });
  const purposes = purposesOf(output.mime, 'image');
  const enlarging = purposes.find((one) => one.kind === 'upscale');
  const uses: MenuItem[] = purposes
    .filter((one) => one !== enlarging)
    .map((purpose) => ({ label: purpose.label, run: () => begin(purpose) }));
  if (enlarging && isMine)
    uses.push({ label: 'Open it in a new tab', run: () => void open(file, '_blank', 'noopener') });
  const shares: MenuItem[] = TERMS.map(([words, seconds]) => ({
    label: `For ${words}`,
    run: () =>
      void share({ generation_id: generation.id, n: output.n }, seconds)
        .then((link) => copy(link.url, `A link is copied. It works for ${words}, for anybody.`))
        .catch(sayProblem),
  }));
  const agains: MenuItem[] = [
    { label: 'Same seed', keys: printed('r').join(' '), disabled: busy, run: () => onAgain('same') },
    { label: 'New seed', keys: printed('Shift+R').join(' '), disabled: busy, run: () => onAgain('new') },
  ];
  return (
    <div className={styles.actions}>
      <a ref={ref} className={styles.link} href={`${file}/download`} download>
        <Download aria-hidden="true" />
        Download
      </a>
      <button
        type="button"
        className={styles.link}
        aria-pressed={output.favorite}
        onClick={() => void favor(generation, output)}
      >
        <Star className={output.favorite ? styles.starred : undefined} aria-hidden="true" />
        Favourite
      </button>
      {enlarging && (
        <button type="button" className={styles.link} onClick={() => begin(enlarging)}>
          <Scaling aria-hidden="true" />
          Upscale
        </button>
      )}
      <Actions
        name="Run again: same or new seed"
        items={agains}
        icon={<Repeat aria-hidden="true" />}
        label="Run again"
      />
      <Actions
        name="Reuse its settings"
        items={[...reuses(generation, reuse), ...settingsOf(generation.id, output)]}
        icon={<SquarePen aria-hidden="true" />}
        label="Reuse"
      />
      {uses.length > 0 && (
        <Actions
          name="Use it elsewhere"
          items={uses}
          icon={<WandSparkles aria-hidden="true" />}
          label="Use it"
        />
      )}
      {(isMine || output.text !== null) && (
        <button
          type="button"
          className={styles.link}
          onClick={() =>
            void (output.text === null
              ? copy(new URL(file, location.href).href, 'The link is copied. It is for you alone.')
              : copy(output.text, 'The text is copied.'))
          }
        >
          <Link2 aria-hidden="true" />
          {output.text === null ? 'Copy link' : 'Copy text'}
        </button>
      )}
      <Actions
        name="Share a link that ends"
        items={shares}
        icon={<Share2 aria-hidden="true" />}
        label="Share"
      />
      <Link className={styles.link} to="/studio/generations/$id" params={{ id: generation.id }}>
        <Info aria-hidden="true" />
        Details
      </Link>
    </div>
  );
}

interface ActionsProps {
  name: string;
  label: string;
  icon: ReactNode;
  items: readonly MenuItem[];
}

function Actions({ name, label, icon, items }: ActionsProps) {
  const face = (
    <>
      {icon}
      {label}
    </>
  );
  return <Menu name={name} className={styles.link} items={items} button={face} />;
}

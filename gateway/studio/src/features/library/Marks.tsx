import { Star } from 'lucide-react';
import type { Asset } from '@/api/assets';
import { useProjectChoices } from '@/api/projects';
import { Button } from '@/ui/Button';
import { Field } from '@/ui/Field';
import { Select } from '@/ui/Select';
import { TextArea } from '@/ui/TextArea';
import { useTyped } from '@/ui/typed';
import { change } from './deeds';
import styles from './Marks.module.css';
import { Stars } from './Stars';
import { TagEditor } from './TagEditor';

/** Favourite, stars, tags, project, description: each is kept as soon as it is set. */
export function Marks({ asset }: { asset: Asset }) {
  const projects = useProjectChoices();
  return (
    <section aria-label="Marks" className={styles.marks}>
      <div className={styles.line}>
        <Button
          size="sm"
          icon={<Star className={asset.favorite ? styles.full : undefined} />}
          aria-pressed={asset.favorite}
          onClick={() => void change(asset, { favorite: !asset.favorite })}
        >
          Favourite
        </Button>
        <Stars value={asset.rating} onChange={(rating) => void change(asset, { rating })} />
      </div>
      <TagEditor tags={asset.tags} onChange={(tags) => void change(asset, { tags })} />
      <Field label="Project">
        {(wires) => (
          <Select
            {...wires}
            value={asset.project_id ?? ''}
            options={[
              { value: '', label: 'No project' },
              ...(projects.data ?? []).map(({ id, name }) => ({ value: id, label: name })),
            ]}
            onChange={(id) => void change(asset, { project_id: id || null })}
          />
        )}
      </Field>
      <Description key={asset.id} asset={asset} />
    </section>
  );
}

function Description({ asset }: { asset: Asset }) {
  const [typed, setTyped] = useTyped(asset.description ?? '');
  const keep = () => {
    const description = typed.trim() || null;
    if (description !== asset.description) void change(asset, { description });
  };
  return (
    <Field label="Description">
      {(wires) => (
        <TextArea
          {...wires}
          rows={1}
          className={styles.description}
          placeholder="Notes for later"
          maxLength={10_000}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
          onBlur={keep}
        />
      )}
    </Field>
  );
}

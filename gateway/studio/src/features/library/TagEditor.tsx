import { useNavigate } from '@tanstack/react-router';
import { X } from 'lucide-react';
import { useId, useState } from 'react';
import styles from './TagEditor.module.css';
import { tagsOf } from './tags';

interface Props {
  tags: readonly string[];
  onChange: (tags: string[]) => void;
}

/** Tags to click, to take away and to add: Enter or a comma ends one, Backspace takes the last. */
export function TagEditor({ tags, onChange }: Props) {
  const navigate = useNavigate();
  const id = useId();
  const [typed, setTyped] = useState('');
  const add = () => {
    const added = tagsOf(typed).filter((tag) => !tags.includes(tag));
    setTyped('');
    if (added.length > 0) onChange([...tags, ...added]);
  };
  return (
    <div className={styles.field}>
      <label htmlFor={id}>Tags</label>
      <div className={styles.box}>
        {tags.map((tag) => (
          <span key={tag} className={styles.tag}>
            <button
              type="button"
              title={`Everything tagged ${tag}`}
              onClick={() => void navigate({ to: '/studio/gallery', search: { tag } as never })}
            >
              {tag}
            </button>
            <button
              type="button"
              aria-label={`Remove the tag ${tag}`}
              onClick={() => onChange(tags.filter((one) => one !== tag))}
            >
              <X aria-hidden="true" />
            </button>
          </span>
        ))}
        <input
          id={id}
          value={typed}
          placeholder={tags.length === 0 ? 'Add a tag' : ''}
          onChange={(event) => setTyped(event.target.value)}
          onBlur={add}
          onKeyDown={(event) => {
            if (event.key === 'Enter' || event.key === ',') {
              event.preventDefault();
              add();
            } else if (event.key === 'Backspace' && typed === '' && tags.length > 0) {
              onChange(tags.slice(0, -1));
            }
          }}
        />
      </div>
    </div>
  );
}

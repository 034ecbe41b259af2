import { ListFilter, Search, Star, X } from 'lucide-react';
import { type ReactNode, useEffect, useId, useState } from 'react';
import { useProjectChoices } from '@/api/projects';
import { KINDS } from '@/features/create/kinds';
import { Button } from '@/ui/Button';
import { classes } from '@/ui/classes';
import { Select } from '@/ui/Select';
import { useTyped } from '@/ui/typed';
import { Conditions } from './Conditions';
import styles from './FilterBar.module.css';
import { countOf, type Filters, without } from './filters';

interface Props {
  filters: Filters;
  onChange: (changes: Partial<Filters>, replace?: boolean) => void;
  /** Which of them this list can do, beside words and kind. */
  about: 'assets' | 'history';
  /** Set by the place itself, so they are not offered. */
  fixed?: Filters;
  children?: ReactNode;
}

const PAUSE_MS = 250;

/** Words, kind, favourites in sight; everything else behind "Filters". All of it stands in the address. */
export function FilterBar({ filters, onChange, about, fixed = {}, children }: Props) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const free = without(filters, fixed);
  const set = countOf(free);
  return (
    <search className={styles.bar}>
      <div className={styles.line}>
        <SearchField
          hint={about === 'assets' ? 'Search prompts, models, seeds, sizes, tags' : 'Search prompts, models'}
          value={filters.q ?? ''}
          onChange={(q) => onChange({ q: q || undefined }, true)}
        />
        <Select
          aria-label="Kind"
          className={styles.kind}
          value={filters.kind ?? ''}
          onChange={(kind) => onChange({ kind: kind || undefined })}
          options={[
            { value: '', label: 'All kinds' },
            ...KINDS.map(({ name, label }) => ({ value: name, label })),
          ]}
        />
        {!fixed.favorite && (
          <Button
            icon={<Star aria-hidden="true" />}
            aria-label="Favourites"
            aria-pressed={filters.favorite ?? false}
            className={classes(filters.favorite && styles.on)}
            onClick={() => onChange({ favorite: filters.favorite ? undefined : true })}
          >
            <span className={styles.wide}>Favourites</span>
          </Button>
        )}
        <Button
          icon={<ListFilter aria-hidden="true" />}
          aria-expanded={open}
          aria-controls={id}
          className={classes(set > 0 && styles.on)}
          onClick={() => setOpen(!open)}
        >
          Filters{set > 0 && ` (${set})`}
        </Button>
        {children}
      </div>
      <div id={id} hidden={!open}>
        {open && <Conditions filters={filters} fixed={fixed} onChange={onChange} about={about} />}
      </div>
      <Chips filters={free} onChange={onChange} />
    </search>
  );
}

interface SearchProps {
  hint: string;
  value: string;
  onChange: (value: string) => void;
}

/** Looks for the words when the typing pauses. */
function SearchField({ hint, value, onChange }: SearchProps) {
  const [typed, setTyped] = useTyped(value);
  useEffect(() => {
    if (typed.trim() === value) return;
    const timer = setTimeout(() => onChange(typed.trim()), PAUSE_MS);
    return () => clearTimeout(timer);
  });
  return (
    <div className={styles.search}>
      <Search aria-hidden="true" />
      <input
        type="search"
        aria-label="Search"
        placeholder={hint}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') onChange(typed.trim());
        }}
      />
    </div>
  );
}

interface ChipsProps {
  filters: Filters;
  onChange: Props['onChange'];
}

/** What narrows the list beside the words, each with its way out. */
function Chips({ filters, onChange }: ChipsProps) {
  const projects = useProjectChoices();
  const named: Record<string, string> = {
    project:
      filters.project === 'none'
        ? 'no project'
        : (projects.data?.find((one) => one.id === filters.project)?.name ?? '…'),
    rating: `${filters.rating} stars or more`,
    sort: filters.sort === 'oldest' ? 'oldest first' : 'best first',
  };
  const entries = Object.entries(filters).filter(
    ([name, value]) => value !== undefined && !['q', 'kind', 'favorite'].includes(name),
  );
  if (entries.length === 0) return null;
  return (
    <ul aria-label="Active filters" className={styles.chips}>
      {entries.map(([name, value]) => (
        <li key={name} className={styles.chip}>
          <span>
            {LABELS[name] ?? name}: {named[name] ?? String(value)}
          </span>
          <button
            type="button"
            aria-label={`Remove ${LABELS[name] ?? name}`}
            onClick={() => onChange({ [name]: undefined })}
          >
            <X aria-hidden="true" />
          </button>
        </li>
      ))}
      <li>
        <Button
          size="sm"
          look="quiet"
          onClick={() => onChange(Object.fromEntries(entries.map(([name]) => [name, undefined])))}
        >
          Clear all
        </Button>
      </li>
    </ul>
  );
}

const LABELS: Record<string, string> = {
  status: 'Status',
  tag: 'Tag',
  project: 'Project',
  model: 'Model',
  seed: 'Seed',
  size: 'Size',
  rating: 'Rating',
  since: 'From',
  until: 'To',
  sort: 'Order',
};

import { useProjectChoices } from '@/api/projects';
import { Field } from '@/ui/Field';
import { Select } from '@/ui/Select';
import { changeDraft } from './drafts';

/** Where it belongs; its budget counts then. Nothing is asked while there are no projects. */
export function ProjectControl({ kind, chosen }: { kind: string; chosen: string | null }) {
  const { data } = useProjectChoices();
  const unknown = data && chosen && !data.some((project) => project.id === chosen);
  if (!data || (data.length === 0 && !unknown)) return null;
  const options = [
    { value: '', label: 'No project' },
    ...data.map((project) => ({ value: project.id, label: project.name })),
    ...(unknown ? [{ value: chosen, label: 'A project that is not in this list' }] : []),
  ];
  return (
    <Field label="Project">
      {(wires) => (
        <Select
          {...wires}
          value={chosen ?? ''}
          options={options}
          onChange={(id) => changeDraft(kind, { project: id || null })}
        />
      )}
    </Field>
  );
}

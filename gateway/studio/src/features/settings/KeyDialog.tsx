import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { createKey, type KeyRequest, type NewApiKey } from '@/api/apiKeys';
import { asProblem } from '@/api/problem';
import { useProjectChoices } from '@/api/projects';
import { KINDS } from '@/features/create/kinds';
import { AmountInput } from '@/ui/AmountInput';
import { Checks } from '@/ui/Checks';
import { ErrorCard } from '@/ui/ErrorCard';
import { Field } from '@/ui/Field';
import { FormDialog, type FormWires } from '@/ui/FormDialog';
import { Select } from '@/ui/Select';
import { TextInput } from '@/ui/TextInput';
import forms from './forms.module.css';
import { BLANK, requestOf } from './keyWords';

interface Props {
  open: boolean;
  onMade: (key: NewApiKey) => void;
  onClose: () => void;
}

const SCOPES = [
  { value: 'read', label: 'Read: look at everything' },
  { value: 'write', label: 'Write: generate and change, too' },
  { value: 'admin', label: 'Admin: keys and secrets, too' },
];
const PERIODS = [
  { value: 'total', label: 'In all' },
  { value: 'day', label: 'Each day' },
  { value: 'week', label: 'Each week' },
  { value: 'month', label: 'Each month' },
];

const FIELDS = ['name', 'expires_at', 'project_id', 'kinds', 'budget_nanos', 'budget_period', 'scopes'];

export function KeyDialog({ open, onMade, onClose }: Props) {
  return (
    <FormDialog open={open} title="New API key" action="Create the key" onClose={onClose}>
      {(wires) => <KeyForm {...wires} onMade={onMade} />}
    </FormDialog>
  );
}

function KeyForm({ id, onBusy, onMade }: FormWires & { onMade: (key: NewApiKey) => void }) {
  const [words, setWords] = useState(BLANK);
  const [tried, setTried] = useState(false);
  const projects = useProjectChoices().data ?? [];
  const create = useMutation({
    mutationFn: (request: KeyRequest) => createKey(request),
    onMutate: () => onBusy(true),
    onSettled: () => onBusy(false),
    onSuccess: onMade,
  });
  const request = requestOf(words);
  const noName = words.name.trim() === '' ? 'A name tells it from the others.' : null;
  const problem = create.error ? asProblem(create.error) : null;
  const set = (change: Partial<typeof words>) => setWords({ ...words, ...change });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (request && !noName && !create.isPending) create.mutate(request);
  };
  return (
    <form id={id} onSubmit={submit} className={forms.form} noValidate>
      <Field label="Name" error={problem?.of('name') ?? (tried ? noName : null)}>
        {(wires) => (
          <TextInput
            {...wires}
            maxLength={100}
            autoComplete="off"
            value={words.name}
            onChange={(event) => set({ name: event.target.value })}
          />
        )}
      </Field>
      <Field label="It may" error={problem?.of('scopes')}>
        {(wires) => (
          <Select {...wires} value={words.scope} options={SCOPES} onChange={(scope) => set({ scope })} />
        )}
      </Field>
      <Checks
        label="Kinds it may make"
        hint="None chosen is all."
        error={problem?.of('kinds')}
        options={KINDS.map(({ name, label }) => ({ value: name, label }))}
        chosen={words.kinds}
        onChange={(kinds) => set({ kinds })}
      />
      <div className={forms.pair}>
        <Field label="Project" hint="It works for this one only." error={problem?.of('project_id')}>
          {(wires) => (
            <Select
              {...wires}
              value={words.project}
              options={[
                { value: '', label: 'Any' },
                ...projects.map((one) => ({ value: one.id, label: one.name })),
              ]}
              onChange={(project) => set({ project })}
            />
          )}
        </Field>
        <Field
          label="Budget in dollars"
          hint="Empty is none."
          error={problem?.of('budget_nanos') ?? (request ? null : 'Write an amount, such as 20.')}
        >
          {(wires) => (
            <AmountInput
              {...wires}
              value={words.budget}
              onChange={(event) => set({ budget: event.target.value })}
            />
          )}
        </Field>
        <Field label="Budget counts" error={problem?.of('budget_period')}>
          {(wires) => (
            <Select {...wires} value={words.per} options={PERIODS} onChange={(per) => set({ per })} />
          )}
        </Field>
        <Field label="Expires after" hint="Empty is never." error={problem?.of('expires_at')}>
          {(wires) => (
            <TextInput
              {...wires}
              type="date"
              value={words.expires}
              onChange={(event) => set({ expires: event.target.value })}
            />
          )}
        </Field>
      </div>
      {problem && !FIELDS.some((field) => problem.of(field)) && <ErrorCard error={problem} />}
    </form>
  );
}

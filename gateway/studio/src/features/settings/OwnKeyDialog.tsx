import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { asProblem } from '@/api/problem';
import { addOwnKey, type ProviderKey } from '@/api/providers';
import { ErrorCard } from '@/ui/ErrorCard';
import { Field } from '@/ui/Field';
import { FormDialog, type FormWires } from '@/ui/FormDialog';
import { PasswordInput } from '@/ui/PasswordInput';
import { Select } from '@/ui/Select';
import { TextInput } from '@/ui/TextInput';
import forms from './forms.module.css';

interface Props {
  open: boolean;
  providers: readonly string[];
  onAdded: (key: ProviderKey) => void;
  onClose: () => void;
}

const FIELDS = ['provider', 'key_name', 'api_key'];

/** The provider is asked about the key before it is kept. */
export function OwnKeyDialog({ open, providers, onAdded, onClose }: Props) {
  return (
    <FormDialog open={open} title="Add a provider key" action="Test and keep" onClose={onClose}>
      {(wires) => <OwnKeyForm {...wires} providers={providers} onAdded={onAdded} />}
    </FormDialog>
  );
}

interface FormProps extends FormWires {
  providers: readonly string[];
  onAdded: (key: ProviderKey) => void;
}

function OwnKeyForm({ id, providers, onBusy, onAdded }: FormProps) {
  const [provider, setProvider] = useState(providers[0] ?? '');
  const [name, setName] = useState('');
  const [secret, setSecret] = useState('');
  const [tried, setTried] = useState(false);
  const add = useMutation({
    mutationFn: () => addOwnKey({ provider, key_name: name.trim() || 'default', api_key: secret.trim() }),
    onMutate: () => onBusy(true),
    onSettled: () => onBusy(false),
    onSuccess: onAdded,
  });
  const problem = add.error ? asProblem(add.error) : null;
  const noKey = secret.trim() === '' ? 'Paste the key here.' : null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (!noKey && !add.isPending) add.mutate();
  };
  return (
    <form id={id} onSubmit={submit} className={forms.form} noValidate>
      <Field label="Provider" error={problem?.of('provider')}>
        {(wires) => (
          <Select
            {...wires}
            value={provider}
            options={providers.map((one) => ({ value: one, label: one }))}
            onChange={setProvider}
          />
        )}
      </Field>
      <Field
        label="Key"
        hint="It is kept encrypted, and never shown again."
        error={problem?.of('api_key') ?? (tried ? noKey : null)}
      >
        {(wires) => (
          <PasswordInput
            {...wires}
            autoComplete="off"
            value={secret}
            onChange={(event) => setSecret(event.target.value)}
          />
        )}
      </Field>
      <Field label="Name" hint="If you have several." error={problem?.of('key_name')}>
        {(wires) => (
          <TextInput
            {...wires}
            autoComplete="off"
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Field>
      {problem && !FIELDS.some((field) => problem.of(field)) && <ErrorCard error={problem} />}
    </form>
  );
}
